import { decodeReceiptHeader, type Receipt } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { Call } from './call.ts'
import type { Answer } from './exchange.ts'
import type { PaymentOutcome } from './payment/pendingPayment.ts'

/** What a signed payment came to. */
export type PaymentResult = {
  /**
   * `not-paid` when nothing was charged so far, as for a function that failed; `unknown` when neither gateway nor chain
   * could say. A gateway could still collect until `validBeforeSeconds`: a budget is safe to give back after that.
   */
  outcome: PaymentOutcome
  /** When the signed authorization lapses, in seconds since 1970. */
  validBeforeSeconds: number
  /** Atomic units of `asset`. */
  amount: bigint
  /** Decimal tokens. */
  amountText: string
  asset: Address
  payTo: Address
  payer: Address
  /** CAIP-2 name of the chain. */
  network: string
  nonce: Hex
  /** The transaction that moved the money, as the gateway reports it. */
  transaction: Hex | undefined
}

/** What a function answered. A status of 400 or more is the function's own answer, not an error of the SDK. */
export type InvokeResponse = {
  status: number
  headers: Headers
  body: Uint8Array
  text: () => string
  /** Parses the body. Throws a `SyntaxError` when it is not JSON. */
  json: () => unknown
  requestId: Hex | undefined
  /** Proof of who ran what; `undefined` when the answer carries none that can be read. */
  receipt: Receipt | undefined
  /** Absent when nothing was signed. */
  payment: PaymentResult | undefined
  /** From the call to the last byte of the answer, payment included. */
  latencyMs: number
  /** The request as it was sent, for `verifyResponse`. */
  sent: Call
}

/** HTTP answer → response. */
export function responseOf(
  answer: Answer,
  call: Call,
  payment: PaymentResult | undefined,
  latencyMs: number,
): InvokeResponse {
  const text = () => new TextDecoder().decode(answer.body)
  const receipt = receiptOf(answer.headers)
  return {
    status: answer.status,
    headers: answer.headers,
    body: answer.body,
    text,
    json: () => JSON.parse(text()) as unknown,
    requestId: receipt?.requestId ?? requestIdOf(answer.headers),
    receipt,
    payment,
    latencyMs,
    sent: call,
  }
}

function receiptOf(headers: Headers): Receipt | undefined {
  const header = headers.get('peerhost-receipt')
  if (header === null) return undefined
  try {
    return decodeReceiptHeader(header)
  } catch {
    // The answer is worth more than its proof: `verifyResponse` says what is missing.
    return undefined
  }
}

function requestIdOf(headers: Headers): Hex | undefined {
  const header = headers.get('peerhost-request-id')
  return header !== null && /^0x[0-9a-f]{64}$/i.test(header) ? (header.toLowerCase() as Hex) : undefined
}
