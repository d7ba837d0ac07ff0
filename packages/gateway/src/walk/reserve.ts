import { type LimitsClass, PeerHostError } from '@peerhost/protocol'
import { concatHex, type Hex, keccak256 } from 'viem'
import type { Chain } from '../chain/chain.ts'
import type { Database, Querier } from '../database/database.ts'
import type { NetworkTerms } from '../egress/networkTerms.ts'
import { isAtDeposit } from '../escrow/openEscrow.ts'
import type { Payment, PaymentRecord, Terms } from '../payment/payment.ts'
import { findPayment, insertPayment, lockPayment, rebindPayment } from '../payment/paymentTable.ts'
import type { PaymentGate } from '../payment/x402.ts'
import type { RequesterStanding } from '../requester/requesterStanding.ts'
import type { Sequences } from '../requester/sequences.ts'
import type { Draft } from '../requests/request.ts'
import { insertDraft } from '../requests/requestTable.ts'
import type { Credit } from '../settlement/credit.ts'
import type { Canonical } from './canonicalise.ts'
import { atVersion, type MatchDeps, matchPayment } from './matchPayment.ts'
import type { Quote } from './quote.ts'
import { paymentConflict } from './runs.ts'
import { draftTicket, type TicketDeps } from './ticket.ts'

/** A request that may run, under these limits; a payment that is already at work for it; or why it may not. */
export type Reservation =
  | { type: 'reserved'; draft: Draft; payment: PaymentRecord | undefined; limits: LimitsClass }
  | { type: 'known'; payment: PaymentRecord }
  | { type: 'rejected'; detail: string }

export type ReserveDeps = TicketDeps &
  MatchDeps & {
    database: Database
    chain: Pick<Chain, 'authorizationUse'>
    gate: Pick<PaymentGate, 'verify' | 'mismatch'>
    sequences: Sequences
    standing: Pick<RequesterStanding, 'assertMayAsk'>
    credit: Credit
    networkTerms: Pick<NetworkTerms, 'envVersionOf'>
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
  if (!payment) {
    const made = await draft(deps, quote, canonical, undefined)
    return { type: 'reserved', draft: made, payment: undefined, limits: quote.limits }
  }
  const fingerprint = fingerprintOf(quote, canonical)
  const known = await findPayment(deps.database, payment.id)
  if (known && !isReusable(known, quote, fingerprint)) return join(known, fingerprint)
  if (known && known.state === 'paid') return rebind(deps, quote, canonical, { ...known, fingerprint }, known)

  const mismatch = deps.gate.mismatch(payment)
  if (mismatch !== undefined) return { type: 'rejected', detail: mismatch }
  const match = await matchPayment(deps, quote, fingerprint, payment)
  if ('rejected' in match) return { type: 'rejected', detail: match.rejected }
  const fromBlock = deps.headBlock()
  const verified = await deps.gate.verify(payment, match.terms, quote.resource)
  const { escrow } = match.terms
  if (!verified.ok && !(escrow && (await isAtDeposit(deps, payment, escrow, fromBlock))))
    return { type: 'rejected', detail: `The payment does not verify: ${verified.reason}.` }
  const record = newRecord(deps, quote, payment, match.terms, { fingerprint, fromBlock })
  return bind(deps, match.quote, canonical, record, known)
}

/**
 * True for a payment that may be bound anew: one that was released, and one paid upfront whose run gave no completed
 * answer, for the same function; in escrow, for the same request.
 */
function isReusable(known: PaymentRecord, quote: Quote, fingerprint: Hex): boolean {
  if (known.state === 'released') return true
  if (known.state !== 'paid' || known.answerRequestId !== undefined) return false
  // What is in escrow is for these bytes and no others.
  if (known.terms.mode === 'escrow') return known.fingerprint === fingerprint
  return known.terms.mode === 'upfront' && known.functionId === quote.record.functionId
}

function join(known: PaymentRecord, fingerprint: Hex): Reservation {
  if (known.fingerprint !== fingerprint) throw paymentConflict()
  return { type: 'known', payment: known }
}

/** What is paid already runs again, under the terms that it was paid for. */
async function rebind(
  deps: ReserveDeps,
  quote: Quote,
  canonical: Canonical,
  record: PaymentRecord,
  known: PaymentRecord,
): Promise<Reservation> {
  const { escrow } = record.terms
  if (!escrow) return bind(deps, quote, canonical, record, known)
  const pinned = await atVersion(deps, quote, escrow.terms.functionVersion)
  const isOver = escrow.terms.deadline < deps.nowSeconds() + Math.ceil(quote.limits.timeoutMs / 1_000)
  if (isOver || !pinned)
    return { type: 'rejected', detail: 'The time of this quote is over; what is in escrow goes back to the payer.' }
  return bind(deps, pinned, canonical, record, known)
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
    if (isBound) return { type: 'reserved', draft: made, payment: bound, limits: quote.limits }
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
  try {
    const envVersion = await deps.networkTerms.envVersionOf(quote.record)
    const made = draftTicket(deps, { quote, canonical, sequence, paid, envVersion })
    await deps.standing.assertMayAsk(made.ticket)
    await deps.credit.hold(made.requestId, made.ticket.funder, made.ticket.fee)
    deps.sequences.issued(sequence, made.ticket.deadline)
    return made
  } catch (error) {
    deps.sequences.giveBack(sequence)
    throw error
  }
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
