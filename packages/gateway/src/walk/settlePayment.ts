import { PeerHostError } from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { Database, Querier } from '../database/database.ts'
import { moveEscrow } from '../escrow/escrowTable.ts'
import { type OpenEscrowDeps, openEscrow } from '../escrow/openEscrow.ts'
import { type CollectDeps, collect, lookUp } from '../payment/collect.ts'
import type { Collected, PaymentRecord, PaymentState } from '../payment/payment.ts'
import { movePayment } from '../payment/paymentTable.ts'
import type { Resource } from '../payment/x402.ts'

export type SettlePaymentDeps = CollectDeps &
  OpenEscrowDeps & {
    database: Database
    log: Logger
  }

/**
 * Collects a reserved payment, from whatever state a crash may have left it in, and writes down how it went before anyone
 * is told. Never says “not paid” while the outcome is open: throws `payment_settlement_unknown` then.
 */
export async function settlePayment(
  deps: SettlePaymentDeps,
  record: PaymentRecord,
  resource: Resource,
): Promise<Extract<Collected, { type: 'paid' | 'failed' }>> {
  if (record.state === 'paid' && record.transaction !== undefined)
    return { type: 'paid', transaction: record.transaction }
  const collected = await collectFrom(deps, record, resource)
  await writeDown(deps, record, collected)
  if (collected.type !== 'unknown') return collected
  deps.log.warn({ payment: record.payment.id, reason: collected.reason }, 'payment outcome unknown')
  throw new PeerHostError('payment_settlement_unknown', 'The outcome of the payment is not known yet.', {
    details: [collected.reason],
    hint: 'Repeat the same request with the same payment; never sign a new one for it.',
  })
}

async function collectFrom(deps: SettlePaymentDeps, record: PaymentRecord, resource: Resource): Promise<Collected> {
  const { escrow } = record.terms
  if (escrow) {
    await movePayment(deps.database, record.payment.id, openStates, { state: 'paying' }, deps.nowSeconds() * 1_000)
    return openEscrow(deps, record, escrow)
  }
  if (record.state === 'paying' || record.state === 'unknown') {
    const seen = await lookUp(deps, record).catch((): Collected => ({ type: 'unknown', reason: 'no answer' }))
    if (seen.type !== 'unknown') return seen
    // Still unused: sending it once more is safe, since the token takes an authorization once. After its time, it is settled.
    if (seen.reason === 'unused' && record.payment.validBefore + lateSeconds < deps.nowSeconds())
      return { type: 'failed', reason: 'The authorization expired unused.' }
    if (seen.reason !== 'unused') return seen
  }
  await movePayment(deps.database, record.payment.id, openStates, { state: 'paying' }, deps.nowSeconds() * 1_000)
  return collect(deps, record, resource)
}

const openStates: readonly PaymentState[] = ['reserved', 'executed', 'paying', 'unknown']
/** Clocks differ, and a block may be on its way. */
const lateSeconds = 60

async function writeDown(deps: SettlePaymentDeps, record: PaymentRecord, collected: Collected): Promise<void> {
  const nowMs = deps.nowSeconds() * 1_000
  const { escrow } = record.terms
  const move = (state: PaymentState, querier: Querier = deps.database) =>
    movePayment(
      querier,
      record.payment.id,
      openStates,
      {
        state,
        transaction: collected.type === 'paid' ? collected.transaction : undefined,
        reason: collected.type === 'paid' ? undefined : collected.reason,
      },
      nowMs,
    )
  if (collected.type === 'paid' && escrow)
    await deps.database.transaction(async (transaction) => {
      await move('paid', transaction)
      await moveEscrow(transaction, escrow.quoteId, ['quoted'], {
        state: 'open',
        paymentId: record.payment.id,
        payer: record.payment.payer,
        openedBy: collected.transaction,
        // Until there is a result, the next thing that can happen is that its time is over.
        nextMs: escrow.terms.deadline * 1_000,
      })
    })
  else if (collected.type === 'paid') await move('paid')
  else if (collected.type === 'unknown') await move('unknown')
  // The answer stays stored: when the payer's balance is back, the same payment buys it without another run.
  else if (record.answerRequestId && record.payment.validBefore > deps.nowSeconds()) await move('executed')
  else await move('released')
}
