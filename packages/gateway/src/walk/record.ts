import { laneNumber, type ProtocolTimes, type Ticket } from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { Database } from '../database/database.ts'
import { moveEscrow } from '../escrow/escrowTable.ts'
import type { PaymentRecord } from '../payment/payment.ts'
import { movePayment } from '../payment/paymentTable.ts'
import { type FunctionRecord, isJudgeable } from '../registry/functionRecord.ts'
import type { RequesterStanding } from '../requester/requesterStanding.ts'
import type { Sequences } from '../requester/sequences.ts'
import { asRecord, type Recorder } from '../requests/recorder.ts'
import type { Job, Recorded, RequestRecord } from '../requests/request.ts'
import { failJob, insertDraft, saveExecuted } from '../requests/requestTable.ts'
import type { Credit } from '../settlement/credit.ts'
import type { Execution } from './dispatch.ts'
import { renewDraft, signTicket, type TicketDeps } from './ticket.ts'

export type RecordDeps = TicketDeps & {
  database: Database
  recorder: Recorder
  sequences: Sequences
  standing: Pick<RequesterStanding, 'assertMayAsk'>
  credit: Credit
  registry: { get: (functionId: Hex) => FunctionRecord | undefined }
  times: ProtocolTimes
  /** Tells the settlement queue that there is something to settle. */
  onSettleable: () => void
}

/** True for a result that the caller pays for: the function completed and did not say that something went wrong. */
export function isCharged({ outcome, status }: { outcome: string; status: number }): boolean {
  return outcome === 'completed' && status < 400
}

/**
 * Writes a result down before anyone is told of it: with its payment's next state in one transaction when there is a
 * payment, in a group beside the path when the call is free. Then the result is due for settlement on chain.
 */
export async function record(
  deps: RecordDeps,
  payment: PaymentRecord | undefined,
  execution: Execution & Partial<Pick<Recorded, 'settled'>>,
): Promise<RequestRecord> {
  const { decoded, ...job } = execution
  const recorded: Recorded = { ...job, ...settlementOf(deps, execution), keepUntilMs: keepUntilMs(deps, job.ticket) }
  if (!payment) {
    deps.recorder.put(recorded)
    return asRecord(recorded)
  }
  const nowMs = deps.nowSeconds() * 1_000
  const { id } = payment.payment
  const answerRequestId = job.requestId
  const charged = isCharged(decoded)
  await deps.database.transaction(async (transaction) => {
    await saveExecuted(transaction, recorded)
    const { escrow } = payment.terms
    if (escrow) {
      // Any result is the answer: it decides who gets what is in escrow.
      await movePayment(transaction, id, ['paid'], { state: 'paid', answerRequestId }, nowMs)
      await moveEscrow(transaction, escrow.quoteId, ['open'], { requestId: answerRequestId, nextMs: 0 })
    } else if (payment.terms.mode !== 'upfront')
      await movePayment(
        transaction,
        id,
        ['reserved'],
        charged ? { state: 'executed', answerRequestId } : { state: 'released', reason: 'not charged' },
        nowMs,
      )
    else if (charged) await movePayment(transaction, id, ['paid'], { state: 'paid', answerRequestId }, nowMs)
  })
  deps.onSettleable()
  return asRecord(recorded)
}

/** A quorum is paid when nobody can contradict it any more: by a batch, or on the confirmed lane by the contract itself. */
function settlementOf(
  { times }: RecordDeps,
  { ticket, settled }: Execution & Partial<Pick<Recorded, 'settled'>>,
): Pick<Recorded, 'settlement' | 'settled' | 'settleAfterMs'> {
  if (settled) return { settlement: 'settled', settled }
  const settleAfterMs = ticket.quorum > 1 ? (ticket.deadline + times.conflictWindow + behindSeconds) * 1_000 : undefined
  return { settlement: ticket.lane === laneNumber('confirmed') ? 'agreed' : 'pending', settleAfterMs }
}

/** The chain's clock may be a little behind ours. */
const behindSeconds = 2
/** Two juries of two phases each, and what lies between them. */
const juryPhases = 6

/** What may be judged is kept until nobody can ask for it any more. */
function keepUntilMs({ registry, times }: RecordDeps, { functionId, deadline }: Ticket): number | undefined {
  const record = registry.get(functionId)
  if (!record || !isJudgeable(record)) return undefined
  return (deadline + times.challengeWindow + juryPhases * times.juryPhase) * 1_000
}

/** Undoes a reservation whose job has no result. What was paid upfront stays paid, for the next try. */
export async function release(deps: RecordDeps, payment: PaymentRecord | undefined, job: Pick<Job, 'requestId'>) {
  deps.credit.release(job.requestId)
  if (!payment) return
  await failJob(deps.database, job.requestId)
  const change = { state: 'released', reason: 'no result' } as const
  await movePayment(deps.database, payment.payment.id, ['reserved'], change, deps.nowSeconds() * 1_000)
}

/** Puts a job under a fresh ticket, durably when it is paid for. */
export async function renew(deps: RecordDeps, payment: PaymentRecord | undefined, old: Job): Promise<Job> {
  const { escrow } = payment?.terms ?? {}
  const draft = renewDraft(deps, old, await deps.sequences.take(), escrow)
  deps.sequences.issued(draft.ticket.sequence, draft.ticket.deadline)
  await deps.standing.assertMayAsk(draft.ticket)
  deps.credit.release(old.requestId)
  deps.credit.adopt(draft.requestId, draft.ticket.funder, draft.ticket.fee)
  if (payment)
    await deps.database.transaction(async (transaction) => {
      const { state } = payment.terms.mode === 'after' ? ({ state: 'reserved' } as const) : ({ state: 'paid' } as const)
      await failJob(transaction, old.requestId)
      await insertDraft(transaction, draft)
      const change = { state, requestId: draft.requestId }
      await movePayment(transaction, payment.payment.id, [state], change, deps.nowSeconds() * 1_000)
    })
  return signTicket(deps, draft)
}
