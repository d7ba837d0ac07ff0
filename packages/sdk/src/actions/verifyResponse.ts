import { PeerHostError, type ReceiptCheckName } from '@peerhost/protocol'
import type { Connection } from '../connection.ts'
import type { InvokeResponse } from '../response.ts'
import { compareReceived, compareSent } from '../verification/compareTranscript.ts'
import { getTranscript } from './getTranscript.ts'
import { verifyReceipt } from './verifyReceipt.ts'

/**
 * Verifies an answer of `invoke` from end to end: fetches the transcript with the receipt's salt, compares it with what was
 * sent and received here byte by byte (`sent`, `received`), compares the function that was called with the one that ran
 * (`function`), and verifies the receipt. Throws `receipt_not_found` for an answer without a receipt.
 */
export async function verifyResponse(
  connection: Connection,
  parameters: verifyResponse.Parameters,
): Promise<verifyResponse.ReturnType> {
  const { response, waitForSettlementMs, signal } = parameters
  const { receipt } = response
  if (!receipt) {
    throw new PeerHostError('receipt_not_found', 'The answer carries no receipt that can be read.', {
      hint: 'Call through a PeerHost gateway; in a browser, PeerHost-Receipt must be exposed by CORS.',
    })
  }
  const transcript = await getTranscript(connection, { requestId: receipt.requestId, salt: receipt.salt, signal })
  const verified = await verifyReceipt(connection, {
    receipt,
    request: transcript.request,
    result: transcript.result,
    waitForSettlementMs,
    signal,
  })
  const compared = [
    ...compareSent(response.sent, receipt.ticket, transcript.request),
    compareReceived(response, transcript.result),
  ]
  const checks = [...compared, ...verified.checks]
  return { ...verified, checks, ok: checks.every(({ ok }) => ok) }
}

export declare namespace verifyResponse {
  type Parameters = {
    response: InvokeResponse
    waitForSettlementMs?: number | undefined
    signal?: AbortSignal | undefined
  }
  type ReturnType = Omit<verifyReceipt.ReturnType, 'checks'> & { checks: ResponseCheck[] }
}

/** A check of a receipt, or of how the transcript compares with what this caller saw. */
export type ResponseCheck = { name: ReceiptCheckName | 'function' | 'sent' | 'received'; ok: boolean; detail?: string }
