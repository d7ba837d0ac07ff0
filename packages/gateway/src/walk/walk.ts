import type { Lane, LimitsClass } from '@peerhost/protocol'
import { type EscrowQuoteDeps, quoteEscrow } from '../escrow/quoteEscrow.ts'
import type { PaymentRecord } from '../payment/payment.ts'
import type { PaymentGate, Resource } from '../payment/x402.ts'
import { type QuorumDeps, runQuorum } from '../quorum/runQuorum.ts'
import type { Draft, Job } from '../requests/request.ts'
import { type Canonical, canonicalise } from './canonicalise.ts'
import { type Confirmation, type ConfirmDeps, confirm } from './confirm.ts'
import { type DispatchDeps, dispatch, type Execution } from './dispatch.ts'
import { type Answer, headerOf, type Incoming } from './incoming.ts'
import { type Quote, type QuoteDeps, quote } from './quote.ts'
import { isCharged, type RecordDeps, record, release, renew } from './record.ts'
import { fingerprintOf, type ReserveDeps, reserve } from './reserve.ts'
import { type ResolveDeps, resolve } from './resolve.ts'
import { type RespondDeps, respond } from './respond.ts'
import { type ResumeDeps, resume } from './resume.ts'
import type { Runs } from './runs.ts'
import { type SettlePaymentDeps, settlePayment } from './settlePayment.ts'
import { signTicket } from './ticket.ts'

export type WalkDeps = ResolveDeps &
  QuoteDeps &
  ReserveDeps &
  EscrowQuoteDeps &
  Omit<DispatchDeps & QuorumDeps, 'renew'> &
  Omit<ConfirmDeps, 'onPosting'> & {
    onPosting: (job: Job, payment: PaymentRecord | undefined) => Promise<void>
  } & RecordDeps &
  SettlePaymentDeps &
  RespondDeps &
  ResumeDeps & { gate: PaymentGate; runs: Runs<Answer> }

/** What a reserved request is carried through with. */
export type Run = {
  draft: Draft
  payment: PaymentRecord | undefined
  lane: Lane
  limits: LimitsClass
  resource: Resource
}

/**
 * Walks one request from HTTP to its answer:
 * resolve ─ canonicalise ─ quote ─ reserve ─ ticket ─ dispatch ─ attestations ─ settle payment ─ respond.
 * Settlement on chain follows in batches. Throws `PeerHostError`s for what happens instead of an answer.
 */
export async function walk(deps: WalkDeps, incoming: Incoming): Promise<Answer> {
  const target = await resolve(deps, incoming)
  const canonical = canonicalise(target, incoming)
  const quoted = quote(deps, target, incoming)
  if (quoted.terms.price === 0n) return carry(deps, await reserveFree(deps, quoted, canonical))

  const v2 = headerOf(incoming, 'payment-signature')
  const payment = deps.gate.read({ v2, v1: headerOf(incoming, 'x-payment') })
  if (!payment) return unpaid(deps, quoted, canonical, 'payment_required', 'This function has a price.')
  return deps.runs.join(payment.id, fingerprintOf(quoted, canonical), async () => {
    const reservation = await reserve(deps, quoted, canonical, payment)
    if (reservation.type === 'rejected') return unpaid(deps, quoted, canonical, 'payment_rejected', reservation.detail)
    if (reservation.type === 'known') return resume(deps, reservation.payment)
    return carry(deps, { ...quoted, ...reservation })
  })
}

/** The second half of the walk, for a request that is reserved. A restart enters here. */
export async function carry(deps: WalkDeps, run: Run): Promise<Answer> {
  const { payment, resource } = run
  const isPrepaid = payment !== undefined && payment.terms.mode !== 'after'
  const prepaid = isPrepaid ? await settlePayment(deps, payment, resource) : undefined
  if (payment && prepaid?.type === 'failed') {
    await release(deps, payment, run.draft)
    return uncollected(run, payment, prepaid.reason)
  }
  const execution = await execute(deps, run)
  const recorded = await record(deps, payment, execution)
  if (!payment || (!prepaid && !isCharged(execution.decoded))) return respond(deps, recorded)

  const executed: PaymentRecord = { ...payment, state: 'executed', answerRequestId: recorded.requestId }
  const collected = prepaid ?? (await settlePayment(deps, executed, resource))
  if (collected.type === 'failed') return uncollected(run, payment, collected.reason)
  return respond(deps, { ...recorded, payment: { record: payment, collected } })
}

/** ticket ─ dispatch ─ attestations, on the lane of the ticket. A job without a result gives back what it reserved. */
async function execute(deps: WalkDeps, run: Run): Promise<Execution | Confirmation> {
  const { payment } = run
  let job = await signTicket(deps, run.draft)
  const renewed = async (old: Job): Promise<Job> => {
    job = await renew(deps, payment, old)
    return job
  }
  try {
    if (run.lane === 'confirmed') {
      const onPosting = (posting: Job) => deps.onPosting(posting, payment)
      return await confirm({ ...deps, onPosting }, job, run.limits)
    }
    const isQuorum = job.ticket.quorum > 1
    return await (isQuorum ? runQuorum : dispatch)({ ...deps, renew: renewed }, job, run.limits)
  } catch (error) {
    await release(deps, payment, job)
    throw error
  }
}

async function reserveFree(deps: WalkDeps, quoted: Quote, canonical: Canonical): Promise<Run> {
  const reservation = await reserve(deps, quoted, canonical, undefined)
  if (reservation.type !== 'reserved') throw new TypeError('A free request has no payment to be refused.')
  return { ...quoted, ...reservation }
}

/** What has to be paid first. In escrow mode every such answer has an address of its own. */
async function unpaid(
  deps: WalkDeps,
  quoted: Quote,
  canonical: Canonical,
  code: 'payment_required' | 'payment_rejected',
  detail: string,
): Promise<Answer> {
  const { resource } = quoted
  const isEscrow = quoted.terms.mode === 'escrow'
  const terms = isEscrow ? await quoteEscrow(deps, quoted, canonical, fingerprintOf(quoted, canonical)) : quoted.terms
  return { type: 'payment-required', code, detail, terms, resource, payment: undefined }
}

/** The result is withheld: nobody paid for it. */
export function uncollected({ resource }: Pick<Run, 'resource'>, record: PaymentRecord, reason: string): Answer {
  return {
    type: 'payment-required',
    code: 'payment_settlement_failed',
    detail: `The payment could not be collected: ${reason}`,
    terms: record.terms,
    resource,
    payment: { payment: record.payment, collected: { type: 'failed', reason } },
  }
}
