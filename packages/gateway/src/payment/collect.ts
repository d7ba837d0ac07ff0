import type { Chain } from '../chain/chain.ts'
import type { Collected, PaymentRecord } from './payment.ts'
import type { PaymentGate, Resource } from './x402.ts'

export type CollectDeps = {
  gate: Pick<PaymentGate, 'settle'>
  chain: Pick<Chain, 'authorizationUse'>
  settleTimeoutMs: number
}

/**
 * Collects a payment. The token's own record has the last word: an authorization that somebody else submitted first is
 * paid, and a facilitator's “paid” counts only when the token says so.
 */
export async function collect(deps: CollectDeps, record: PaymentRecord, resource: Resource): Promise<Collected> {
  const answer = await deps.gate.settle(record.payment, record.terms, resource, deps.settleTimeoutMs)
  const seen = await lookUp(deps, record).catch(
    (error: unknown): Collected => ({
      type: 'unknown',
      reason: `The chain does not answer: ${String(error).slice(0, 200)}`,
    }),
  )
  if (seen.type === 'paid' || seen.type === 'failed') return seen
  if (answer.type === 'paid') return { type: 'unknown', reason: 'The facilitator says paid, the token does not yet.' }
  if (seen.reason !== 'unused') return seen
  return answer
}

/** What the token alone says about a payment: paid, gone another way, or open. */
export async function lookUp(deps: Pick<CollectDeps, 'chain'>, record: PaymentRecord): Promise<Collected> {
  const { payment, terms, fromBlock } = record
  const use = await deps.chain.authorizationUse(payment.payer, payment.nonce, fromBlock)
  if (use.type === 'unused') return { type: 'unknown', reason: 'unused' }
  if (use.type === 'cancelled') return { type: 'failed', reason: 'The authorization was cancelled or used before.' }
  const isOurs = use.to === terms.payTo && use.value === terms.price
  return isOurs
    ? { type: 'paid', transaction: use.transaction }
    : { type: 'failed', reason: 'The authorization was used for another transfer.' }
}
