import { fromBase64, type Receipt, receiptFromJson } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { z } from 'zod'
import type { Connection } from '../connection.ts'
import { requestGateway } from '../requestGateway.ts'

const transcriptSchema = z.object({ request: z.string(), result: z.string(), receipt: z.unknown() })

/**
 * The canonical bytes of a request and its result, and the receipt as the gateway has it now (with its settlement once
 * mined). Only who holds the salt gets them, for 24 hours. Throws `receipt_not_found` or what the gateway says.
 */
export async function getTranscript(
  connection: Connection,
  parameters: getTranscript.Parameters,
): Promise<getTranscript.ReturnType> {
  const transcript = await requestGateway(connection, {
    path: `/v1/requests/${parameters.requestId}/transcript`,
    schema: transcriptSchema,
    headers: { 'peerhost-salt': parameters.salt },
    signal: parameters.signal,
  })
  return {
    request: fromBase64(transcript.request),
    result: fromBase64(transcript.result),
    receipt: receiptFromJson(transcript.receipt),
  }
}

export declare namespace getTranscript {
  type Parameters = { requestId: Hex; salt: Hex; signal?: AbortSignal | undefined }
  type ReturnType = {
    /** Canonical request bytes: what was hashed, signed for and run. */
    request: Uint8Array
    /** Canonical result bytes. */
    result: Uint8Array
    receipt: Receipt
  }
}
