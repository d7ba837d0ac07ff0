import { PeerHostError } from '@peerhost/protocol'
import { concatHex, type Hex, keccak256 } from 'viem'
import type { Database, Querier } from '../database/database.ts'
import type { Payment, PaymentRecord, Terms } from '../payment/payment.ts'
import { findPayment, insertPayment, lockPayment, rebindPayment } from '../payment/paymentTable.ts'
import type { PaymentGate } from '../payment/x402.ts'
import type { Draft } from '../requests/request.ts'
import { insertDraft } from '../requests/requestTable.ts'
import type { Sequences } from '../requests/sequences.ts'
import type { Credit } from '../settlement/credit.ts'
import type { Canonical } from './canonicalise.ts'
import { matchTerms, type Quote } from './quote.ts'
import { paymentConflict } from './runs.ts'
import { draftTicket, type TicketDeps } from './ticket.ts'

/** A request that may run, a payment that is already at work for it, or why it may not. */
export type Reservation =
  | { type: 'reserved'; draft: Draft; payment: PaymentRecord | undefined }
  | { type: 'known'; payment: PaymentRecord }
  | { type: 'rejected'; detail: string }

export type ReserveDeps = TicketDeps & {
  database: Database
  gate: Pick<PaymentGate, 'verify' | 'mismatch'>
  sequences: Sequences
  credit: Credit
}

/** What a payment is bound to: this function, these request bytes. */
export function fingerprintOf(quote: Quote, canonical: Canonical): Hex {
  return keccak256(concatHex([quote.record.functionId, canonical.inputHash]))
}

/**
 * Sets aside everything a request needs before any work: the owner's credit, a ticket sequence and, where there is a
 * price, the payment, durably and bound to these request bytes in one transaction.
 * Throws `credit_exhausted`, `payment_conflict`, `chain_unavailable`.
 */
export async function reserve(
  deps: ReserveDeps,
  quote: Quote,
  canonical: Canonical,
  payment: Payment | undefined,
): Promise<Reservation> {
  if (!payment) return { type: 'reserved', draft: await draft(deps, quote, canonical, undefined), payment: undefined }
  const fingerprint = fingerprintOf(quote, canonical)
  const known = await findPayment(deps.database, payment.id)
  if (known && !isReusable(known, quote)) return join(known, fingerprint)
  if (known && known.state === 'paid') return bind(deps, quote, canonical, { ...known, fingerprint }, known)

  const mismatch = deps.gate.mismatch(payment)
  if (mismatch !== undefined) return { type: 'rejected', detail: mismatch }
  const match = matchTerms(quote, payment, deps.nowSeconds())
  if (!match.terms) return { type: 'rejected', detail: match.rejected }
  const fromBlock = deps.headBlock()
  const verified = await deps.gate.verify(payment, match.terms, quote.resource)
  if (!verified.ok) return { type: 'rejected', detail: `The payment does not verify: ${verified.reason}.` }
  return bind(deps, quote, canonical, newRecord(deps, quote, payment, match.terms, { fingerprint, fromBlock }), known)
}

/**
 * True for a payment that may be bound anew: one that was released, and one paid upfront whose run gave no completed
 * answer, for the same function.
 */
function isReusable(known: PaymentRecord, quote: Quote): boolean {
  if (known.state === 'released') return true
  const isCredit = known.state === 'paid' && known.terms.mode === 'upfront' && known.answerRequestId === undefined
  return isCredit && known.functionId === quote.record.functionId
}

function join(known: PaymentRecord, fingerprint: Hex): Reservation {
  if (known.fingerprint !== fingerprint) throw paymentConflict()
  return { type: 'known', payment: known }
}

async function bind(
  deps: ReserveDeps,
  quote: Quote,
  canonical: Canonical,
  record: PaymentRecord,
  known: PaymentRecord | undefined,
): Promise<Reservation> {
  const made = await draft(deps, quote, canonical, { payment: record.payment, terms: record.terms })
  const bound: PaymentRecord = { ...record, requester: deps.signer.address, requestId: made.requestId }
  try {
    const isBound = await deps.database.transaction(async (transaction) => {
      if (!(await store(transaction, bound, known, deps.nowSeconds() * 1_000))) return false
      await insertDraft(transaction, made)
      return true
    })
    if (isBound) return { type: 'reserved', draft: made, payment: bound }
  } catch (error) {
    // Whether the row is there is not known, so the sequence is left alone.
    deps.credit.release(made.requestId)
    throw error
  }
  deps.credit.release(made.requestId)
  // Nobody has seen the ticket: its sequence is free again.
  deps.sequences.giveBack(made.ticket.sequence)
  const winner = await findPayment(deps.database, record.payment.id)
  if (!winner) throw new PeerHostError('payment_in_progress', 'The payment is being served elsewhere.')
  return join(winner, record.fingerprint)
}

/** False when somebody else was faster. */
async function store(
  transaction: Querier,
  bound: PaymentRecord,
  known: PaymentRecord | undefined,
  nowMs: number,
): Promise<boolean> {
  if (!known) return insertPayment(transaction, bound, nowMs)
  const current = await lockPayment(transaction, bound.payment.id)
  if (current?.state !== known.state || current.requestId !== known.requestId) return false
  await rebindPayment(transaction, bound, { state: bound.state, nowMs })
  return true
}

async function draft(
  deps: ReserveDeps,
  quote: Quote,
  canonical: Canonical,
  paid: { payment: Payment; terms: Terms } | undefined,
): Promise<Draft> {
  const sequence = await deps.sequences.take()
  const made = draftTicket(deps, { quote, canonical, sequence, paid })
  try {
    await deps.credit.hold(made.requestId, made.ticket.funder, made.ticket.fee)
  } catch (error) {
    deps.sequences.giveBack(sequence)
    throw error
  }
  return made
}

function newRecord(
  deps: ReserveDeps,
  quote: Quote,
  payment: Payment,
  terms: Terms,
  { fingerprint, fromBlock }: { fingerprint: Hex; fromBlock: bigint },
): PaymentRecord {
  return {
    payment,
    requester: deps.signer.address,
    functionId: quote.record.functionId,
    fingerprint,
    terms,
    state: 'reserved',
    requestId: '0x',
    answerRequestId: undefined,
    transaction: undefined,
    reason: undefined,
    fromBlock,
  }
}
