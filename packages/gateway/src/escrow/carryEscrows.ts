import type { Logger } from 'pino'
import type { Address, Hex } from 'viem'
import type { Chain, Sent } from '../chain/chain.ts'
import type { Database } from '../database/database.ts'
import { movePayment } from '../payment/paymentTable.ts'
import type { RequestRecord } from '../requests/request.ts'
import { findRequest } from '../requests/requestTable.ts'
import type { EscrowRecord, EscrowState } from './escrow.ts'
import { forgetQuotes, listDueEscrows, moveEscrow } from './escrowTable.ts'

export type CarryEscrowDeps = {
  database: Database
  chain: Pick<Chain, 'escrow'>
  log: Logger
  requester: Address
  times: { settlementGrace: number; conflictWindow: number; challengeWindow: number }
}

const mostAtOnce = 20
const firstBackoffMs = 2_000
const longestBackoffMs = 600_000
/** The chain's clock may be a little behind ours. */
const behindSeconds = 3
/** Unpaid quotes stay a while longer, so that a late payment is told what is wrong with it. */
const quoteRestMs = 3_600_000

/**
 * Takes every escrow one step on: records the result, then credits the payee or the payer. Each step begins with what the
 * contract says, so it may be cut off anywhere and begun again.
 */
export async function carryEscrows(deps: CarryEscrowDeps): Promise<void> {
  const nowMs = Date.now()
  for (const escrow of await listDueEscrows(deps.database, { requester: deps.requester, nowMs, limit: mostAtOnce })) {
    const about = { quoteId: escrow.quoteId, state: escrow.state }
    try {
      await carryOne(deps, escrow)
    } catch (error) {
      deps.log.warn({ err: error, ...about }, 'an escrow could not be carried on')
      await postpone(deps, escrow, nowMs + backoffMs(escrow), String(error).slice(0, 300))
    }
  }
  await forgetQuotes(deps.database, nowMs - quoteRestMs)
}

async function carryOne(deps: CarryEscrowDeps, escrow: EscrowRecord): Promise<void> {
  const { status, deadline, quorum } = await deps.chain.escrow.read(escrow.quoteId)
  if (status === 'released' || status === 'refunded') return close(deps, escrow, status, undefined)
  if (status === 'none') return lose(deps, escrow)
  const request = escrow.requestId ? await findRequest(deps.database, escrow.requestId) : undefined
  if (status === 'open') {
    if (request && request.attestations.length > 0) return record(deps, escrow, request)
    return refundAfter(deps, escrow, deadline + deps.times.settlementGrace)
  }
  const [attested] = request?.attestations ?? []
  const earns = attested?.attestation.outcome === completed && attested.attestation.status < 400
  if (!earns) return refundAfter(deps, escrow, 0)
  const windowSeconds = quorum > 1 ? deps.times.conflictWindow : deps.times.challengeWindow
  return releaseAfter(deps, escrow, deadline + windowSeconds)
}

const completed = 1

/** The result goes on record; when its time is over, or the contract refuses it, the money goes back. */
async function record(deps: CarryEscrowDeps, escrow: EscrowRecord, request: RequestRecord): Promise<void> {
  const { ticket, ticketSignature, attestations } = request
  const [first] = attestations
  if (!first) return
  const lastSeconds = ticket.deadline + deps.times.settlementGrace
  if (Date.now() / 1_000 > lastSeconds)
    return refundAfter(deps, escrow, escrow.terms.deadline + deps.times.settlementGrace)
  const sent = await deps.chain.escrow.settle(escrow.terms, {
    ticket,
    ticketSignature,
    attestation: first.attestation,
    signatures: attestations.map(({ signature }) => signature),
  })
  if (sent.type === 'reverted') return later(deps, escrow, sent)
  deps.log.info({ quoteId: escrow.quoteId, transaction: sent.transaction }, 'escrow: result recorded')
  const change = { state: 'settled', settledBy: sent.transaction, attempts: 0, nextMs: 0 } as const
  await moveEscrow(deps.database, escrow.quoteId, ['open'], change)
}

async function releaseAfter(deps: CarryEscrowDeps, escrow: EscrowRecord, lastSeconds: number): Promise<void> {
  if (isEarly(lastSeconds)) return postpone(deps, escrow, dueMs(lastSeconds))
  const sent = await deps.chain.escrow.release(escrow.terms)
  if (sent.type === 'mined') return close(deps, escrow, 'released', sent.transaction)
  // Lost in a dispute: then it is the payer's.
  if (sent.reason.startsWith('NotReleasable')) return refundAfter(deps, escrow, 0)
  return later(deps, escrow, sent)
}

async function refundAfter(deps: CarryEscrowDeps, escrow: EscrowRecord, lastSeconds: number): Promise<void> {
  if (isEarly(lastSeconds)) return postpone(deps, escrow, dueMs(lastSeconds))
  const sent = await deps.chain.escrow.refund(escrow.terms)
  if (sent.type === 'mined') return close(deps, escrow, 'refunded', sent.transaction)
  return later(deps, escrow, sent)
}

/** A refusal may be a matter of time: a dispute that is open, a window that is not over. */
async function later(
  deps: CarryEscrowDeps,
  escrow: EscrowRecord,
  { reason }: Extract<Sent, { type: 'reverted' }>,
): Promise<void> {
  deps.log.info({ quoteId: escrow.quoteId, reason }, 'escrow: not yet')
  const lastMoment = /^TooEarly\((\d{1,12}),/.exec(reason)?.[1]
  const nextMs = lastMoment === undefined ? Date.now() + backoffMs(escrow) : dueMs(Number(lastMoment))
  await postpone(deps, escrow, nextMs, reason)
}

async function close(
  deps: CarryEscrowDeps,
  escrow: EscrowRecord,
  state: Extract<EscrowState, 'released' | 'refunded'>,
  transaction: Hex | undefined,
): Promise<void> {
  deps.log.info({ quoteId: escrow.quoteId, transaction }, `escrow ${state}`)
  await deps.database.transaction(async (querier) => {
    await moveEscrow(querier, escrow.quoteId, ['open', 'settled'], { state, closedBy: transaction })
    // Without an answer, the payment bought nothing and never will.
    if (state === 'refunded' && escrow.paymentId && !escrow.requestId)
      await movePayment(querier, escrow.paymentId, ['paid'], { state: 'released', reason: 'refunded' }, Date.now())
  })
}

/** A reorganisation undid the payment. Nothing can be done for it here: the payment's own state is looked up again. */
async function lose(deps: CarryEscrowDeps, escrow: EscrowRecord): Promise<void> {
  await postpone(deps, escrow, Date.now() + backoffMs(escrow), 'The chain does not know this escrow.')
}

async function postpone(deps: CarryEscrowDeps, escrow: EscrowRecord, nextMs: number, reason?: string): Promise<void> {
  const attempts = reason === undefined ? escrow.attempts : escrow.attempts + 1
  await moveEscrow(deps.database, escrow.quoteId, [escrow.state], { nextMs, attempts, reason })
}

function backoffMs({ attempts }: EscrowRecord): number {
  return Math.min(firstBackoffMs * 2 ** Math.min(attempts, 20), longestBackoffMs)
}

function isEarly(lastSeconds: number): boolean {
  return Date.now() <= dueMs(lastSeconds)
}

function dueMs(lastSeconds: number): number {
  return (lastSeconds + behindSeconds) * 1_000
}
