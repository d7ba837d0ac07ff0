import type { PaymentMode } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { EscrowQuote } from '../escrow/escrow.ts'

/** What a caller has to pay for one call. In escrow mode, once quoted, `payTo` is the deposit address of that quote. */
export type Terms = { price: bigint; payTo: Address; mode: PaymentMode; escrow?: EscrowQuote | undefined }

/** An x402 payment as it came in a header: parsed, addresses checksummed, not verified. */
export type Payment = {
  /** `paymentId` of chain, asset, payer and nonce: an authorization is one payment, however it is sent. */
  id: Hex
  x402Version: 1 | 2
  payer: Address
  payTo: Address
  amount: bigint
  nonce: Hex
  /** Seconds since 1970. */
  validBefore: number
  /** The asset that the client says it pays in; v1 payloads do not say. */
  asset: Address | undefined
  network: string
  /** The decoded header, as the facilitator wants it. */
  payload: Record<string, unknown>
}

/**
 * `reserved`: bound to a request, no money moved. `executed`: there is an answer, no money moved. `paying`: a settlement
 * is under way. `paid`: money moved. `unknown`: nobody knows yet whether it did. `released`: free to be used again.
 */
export type PaymentState = 'reserved' | 'executed' | 'paying' | 'paid' | 'unknown' | 'released'

/** A payment as it is kept: bound to one request, by function and input. */
export type PaymentRecord = {
  payment: Payment
  requester: Address
  functionId: Hex
  /** Function and input hash: the same payment with another one is a conflict. */
  fingerprint: Hex
  terms: Terms
  state: PaymentState
  /** The job that runs, or ran last, for it. */
  requestId: Hex
  /** The job whose answer it bought. */
  answerRequestId: Hex | undefined
  transaction: Hex | undefined
  reason: string | undefined
  /** Head of the chain when it was reserved: no use of the authorization before that can be for this request. */
  fromBlock: bigint
}

/** How collecting a payment went. `unknown` is never an answer: it is found out later. */
export type Collected =
  | { type: 'paid'; transaction: Hex }
  | { type: 'failed'; reason: string }
  | { type: 'unknown'; reason: string }

/** What the token says about an authorization since a block. */
export type AuthorizationUse =
  | { type: 'unused' }
  | { type: 'cancelled' }
  | { type: 'used'; transaction: Hex; to: Address | undefined; value: bigint | undefined }
