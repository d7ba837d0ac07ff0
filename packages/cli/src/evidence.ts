import {
  decodeReceiptHeader,
  fromBase64,
  type Receipt,
  receiptFromJson,
  receiptToJson,
  toBase64,
} from '@peerhost/protocol'
import { type Connection, getTranscript } from '@peerhost/sdk'

/** What `verifyReceipt` checks: the receipt and the canonical bytes it speaks about. */
export type Evidence = { receipt: Receipt; request: Uint8Array; result: Uint8Array }

/** Evidence → the text that `peerhost verify` reads. */
export function formatEvidence({ receipt, request, result }: Evidence): string {
  const json = { receipt: receiptToJson(receipt), request: toBase64(request), result: toBase64(result) }
  return `${JSON.stringify(json, null, 2)}\n`
}

/** Text of a file → evidence. Bytes that the file does not hold are asked of the gateway, which keeps them for a day. */
export async function readEvidence(connection: Connection, text: string, signal: AbortSignal): Promise<Evidence> {
  const value = parse(text.trim())
  if (typeof value === 'string') return fetchEvidence(connection, decodeReceiptHeader(value), signal)
  const { receipt, request, result } = value as { receipt?: unknown; request?: unknown; result?: unknown }
  const parsed = receiptFromJson(receipt ?? value)
  if (typeof request !== 'string' || typeof result !== 'string') return fetchEvidence(connection, parsed, signal)
  return { receipt: parsed, request: fromBase64(request), result: fromBase64(result) }
}

/** The canonical bytes of an answer from the gateway, opened by the receipt's salt. */
export async function fetchEvidence(connection: Connection, receipt: Receipt, signal: AbortSignal): Promise<Evidence> {
  const { requestId, salt } = receipt
  return { ...(await getTranscript(connection, { requestId, salt, signal })), receipt }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
