import type { EscrowTerms } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'

/** A quote with an address of its own: what is paid to it counts for this request and nothing else. */
export type EscrowQuote = {
  quoteId: Hex
  deposit: Address
  terms: EscrowTerms
  /** The ticket's: with it the payer recomputes `terms.inputSeal`, and from the terms the address. */
  salt: Hex
}

/**
 * `quoted`: nobody paid. `open`: the money is in escrow. `settled`: the result is recorded there. `released`: the payee was
 * credited. `refunded`: the payer was.
 */
export type EscrowState = 'quoted' | 'open' | 'settled' | 'released' | 'refunded'

/** An escrow as it is kept. */
export type EscrowRecord = EscrowQuote & {
  requester: Address
  functionId: Hex
  /** Function and input hash that it was quoted for. */
  fingerprint: Hex
  state: EscrowState
  paymentId: Hex | undefined
  payer: Address | undefined
  /** The request whose result decides. */
  requestId: Hex | undefined
  /** Transactions: into escrow, result recorded, money credited. */
  openedBy: Hex | undefined
  settledBy: Hex | undefined
  closedBy: Hex | undefined
  reason: string | undefined
  attempts: number
  /** When the next step is due. */
  nextMs: number
}
