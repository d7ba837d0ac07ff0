import type { Hex } from 'viem'
import type { Chain } from '../chain/chain.ts'
import type { Querier } from '../database/database.ts'
import { findEscrowByDeposit } from '../escrow/escrowTable.ts'
import type { Payment, Terms } from '../payment/payment.ts'
import { servableLimits } from '../registry/functionRecord.ts'
import type { Quote } from './quote.ts'
import { paymentConflict } from './runs.ts'

export type MatchDeps = { database: Querier; chain: Pick<Chain, 'deployment'>; nowSeconds: () => number }

/** The terms that a payment meets, and what will run for it; or why it meets none. */
export type Match = { terms: Terms; quote: Quote } | { rejected: string }

const noMatch = 'Amount or payee are not those of the quote.'
/** To send the payment and to run; then there is still time to settle. */
const marginSeconds = 10

/**
 * Finds what a payment is for: terms of the function, or the one quote whose address it pays to.
 * Throws `payment_conflict` for a payment whose address was quoted for another request.
 */
export async function matchPayment(deps: MatchDeps, quote: Quote, fingerprint: Hex, payment: Payment): Promise<Match> {
  const terms = quote.accepted.find(
    ({ price, payTo, mode }) => mode !== 'escrow' && price === payment.amount && payTo === payment.payTo,
  )
  if (!terms) return matchEscrow(deps, quote, fingerprint, payment)
  const needed = runSeconds(quote)
  if (payment.validBefore < deps.nowSeconds() + needed)
    return { rejected: `The authorization must be valid for at least ${needed} more seconds.` }
  return { terms, quote }
}

/** A quote's price and version stand until its deadline, whatever the function's owner changes meanwhile. */
async function matchEscrow(deps: MatchDeps, quote: Quote, fingerprint: Hex, payment: Payment): Promise<Match> {
  const escrow = await findEscrowByDeposit(deps.database, payment.payTo)
  if (!escrow) return { rejected: noMatch }
  if (escrow.fingerprint !== fingerprint) throw paymentConflict()
  const { terms: agreed, quoteId, deposit, salt } = escrow
  if (payment.amount !== agreed.price) return { rejected: noMatch }
  if (escrow.state !== 'quoted' && escrow.paymentId !== payment.id)
    return { rejected: 'Another payment was made for this quote.' }
  const now = deps.nowSeconds()
  if (payment.validBefore < now + marginSeconds) return { rejected: 'The authorization is about to expire.' }
  const pinned = await atVersion(deps, quote, agreed.functionVersion)
  if (!pinned) return { rejected: 'The version of this quote is not there any more.' }
  if (agreed.deadline < now + runSeconds(pinned)) return { rejected: 'The time of this quote is over.' }
  const terms: Terms = {
    price: agreed.price,
    payTo: deposit,
    mode: 'escrow',
    escrow: { quoteId, deposit, terms: agreed, salt },
  }
  return { terms, quote: pinned }
}

/** The quote of the version that was agreed on: it may not be the current one any more. */
export async function atVersion(
  deps: Pick<MatchDeps, 'chain'>,
  quote: Quote,
  version: number,
): Promise<Quote | undefined> {
  const { record } = quote
  if (record.state.currentVersion === version) return quote
  const deployment = await deps.chain.deployment(record.functionId, version)
  if (!deployment) return undefined
  const pinned = { ...record, deployment, state: { ...record.state, currentVersion: version } }
  return { ...quote, record: pinned, limits: servableLimits(pinned) }
}

function runSeconds({ limits }: Quote): number {
  return Math.ceil(limits.timeoutMs / 1_000) + marginSeconds
}
