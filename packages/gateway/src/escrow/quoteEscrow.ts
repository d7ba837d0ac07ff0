import { randomBytes } from 'node:crypto'
import { depositAddress, type EscrowTerms, hashEscrowTerms, type ProtocolDomain, seal } from '@peerhost/protocol'
import { type Address, bytesToHex, type Hex } from 'viem'
import type { Database } from '../database/database.ts'
import type { Terms } from '../payment/payment.ts'
import type { Canonical } from '../walk/canonicalise.ts'
import type { Quote } from '../walk/quote.ts'
import type { EscrowQuote } from './escrow.ts'
import { insertQuote } from './escrowTable.ts'

export type EscrowQuoteDeps = {
  database: Database
  domain: ProtocolDomain
  /** The escrow contract: deposit addresses are its. */
  escrow: Address
  requester: Address
  nowSeconds: () => number
}

/** How long a caller has to sign. */
export const payWithinSeconds = 120

/**
 * Makes the terms of a 402 in escrow mode: an address of this quote's own, bound to these request bytes. Kept until its
 * deadline, since nothing else says which request a payment to that address is for.
 */
export async function quoteEscrow(
  deps: EscrowQuoteDeps,
  quote: Pick<Quote, 'record' | 'terms' | 'lifetimeSeconds'>,
  canonical: Canonical,
  fingerprint: Hex,
): Promise<Terms> {
  const { record, terms } = quote
  const salt = bytesToHex(randomBytes(32))
  const escrowTerms: EscrowTerms = {
    requester: deps.requester,
    functionId: record.functionId,
    functionVersion: record.state.currentVersion,
    inputSeal: seal(canonical.inputHash, salt),
    payee: terms.payTo,
    price: terms.price,
    deadline: deps.nowSeconds() + payWithinSeconds + quote.lifetimeSeconds,
    nonce: bytesToHex(randomBytes(32)),
  }
  const quoteId = hashEscrowTerms(deps.domain, escrowTerms)
  const escrow: EscrowQuote = { quoteId, deposit: depositAddress(deps.escrow, quoteId), terms: escrowTerms, salt }
  const about = { functionId: record.functionId, fingerprint, nowMs: deps.nowSeconds() * 1_000 }
  await insertQuote(deps.database, escrow, about)
  return { ...terms, payTo: escrow.deposit, escrow }
}
