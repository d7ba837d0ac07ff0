import type { HeaderPair } from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { Collected, Payment, Terms } from '../payment/payment.ts'
import type { Resource } from '../payment/x402.ts'

/** An HTTP request to a function, before anything was decided about it. */
export type Incoming = {
  method: string
  /** Lower-case, without port. */
  host: string
  /** Raw path, still percent-encoded, and raw query without `?`. */
  path: string
  query: string
  /** Every header as it came, duplicates kept. */
  headers: readonly HeaderPair[]
  body: Uint8Array
}

/** First value of a header, by lower-case name. */
export function headerOf(incoming: Pick<Incoming, 'headers'>, name: string): string | undefined {
  return incoming.headers.find(([key]) => key.toLowerCase() === name)?.[1]
}

/** What the walk ends in when it does not throw: the function's answer, or what has to be paid first. */
export type Answer =
  | {
      type: 'answered'
      requestId: Hex
      status: number
      headers: readonly HeaderPair[]
      body: Uint8Array
      receipt: string
      worker: string
      isPriced: boolean
      payment: { payment: Payment; collected: Collected } | undefined
    }
  | {
      type: 'payment-required'
      code: 'payment_required' | 'payment_rejected' | 'payment_settlement_failed'
      detail: string
      terms: Terms
      resource: Resource
      payment: { payment: Payment; collected: Collected } | undefined
    }
