import { setTimeout as sleep } from 'node:timers/promises'
import { LIMITS_CLASSES, lanes, limitsClass, PeerHostError } from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { PaymentRecord } from '../payment/payment.ts'
import { findPayment, listUnfinished } from '../payment/paymentTable.ts'
import type { Resource } from '../payment/x402.ts'
import type { FunctionRecord } from '../registry/functionRecord.ts'
import type { RequestRecord } from '../requests/request.ts'
import type { Answer } from './incoming.ts'
import { lifetimeOf, resourceOf } from './quote.ts'
import { release } from './record.ts'
import { respond } from './respond.ts'
import { settlePayment } from './settlePayment.ts'
import { carry, type Run, uncollected, type WalkDeps } from './walk.ts'

export type ResumeDeps = {
  registry: { get: (functionId: Hex) => FunctionRecord | undefined }
  /** Longest wait for another gateway that is serving the same payment. */
  elsewhereMs: number
}

const pollMs = 100

/**
 * Goes on with a payment that is already bound to this request, from the state it is in: gives the stored answer, collects
 * for one that was not paid yet, or runs what was never run. Never a second run, never a second charge.
 */
export async function resume(deps: WalkDeps, payment: PaymentRecord): Promise<Answer> {
  const { answerRequestId, state } = payment
  const isDone = state === 'paid' && answerRequestId !== undefined
  if (!isDone && payment.requester !== deps.signer.address) return resume(deps, await waitElsewhere(deps, payment))
  const resource = resourceFor(deps, payment)
  if (answerRequestId !== undefined) {
    const collected = await settlePayment(deps, payment, resource)
    if (collected.type === 'failed') return uncollected({ resource }, payment, collected.reason)
    const request = await deps.recorder.find(answerRequestId)
    if (!request) throw new PeerHostError('receipt_not_found', 'The answer to this payment is not kept any more.')
    return respond(deps, { ...request, payment: { record: payment, collected } })
  }
  const request = await deps.recorder.find(payment.requestId)
  const run = request && runFrom(deps, payment, request, resource)
  if (run) {
    deps.credit.adopt(run.draft.requestId, run.draft.ticket.funder, run.draft.ticket.fee)
    return carry(deps, run)
  }
  if (state !== 'paid') await release(deps, payment, payment)
  throw new PeerHostError('payment_in_progress', 'The payment was bound to a run that can no longer finish.', {
    hint: 'Repeat the same request with the same payment.',
  })
}

/**
 * What a restart does: every payment that was under way goes on. Requests still within their deadline run, results that
 * were not paid are collected, the rest is released. Joined by clients that repeat their request meanwhile.
 */
export async function recover(deps: WalkDeps): Promise<Promise<void>[]> {
  const unfinished = await listUnfinished(deps.database, deps.signer.address)
  return unfinished.map(async (payment) => {
    const about = { payment: payment.payment.id, state: payment.state }
    try {
      const answer = await deps.runs.join(payment.payment.id, payment.fingerprint, () => resume(deps, payment))
      deps.log.info({ ...about, outcome: answer.type }, 'payment resumed')
    } catch (error) {
      deps.log.warn({ ...about, err: error }, 'payment not resumed')
    }
  })
}

/** Finds out how payments went whose outcome was unknown. Called again and again. */
export async function reconcile(deps: WalkDeps, payments: readonly PaymentRecord[]): Promise<void> {
  for (const payment of payments) {
    await deps.runs
      .join(payment.payment.id, payment.fingerprint, () => resume(deps, payment))
      .catch((error: unknown) => deps.log.debug({ err: error, payment: payment.payment.id }, 'still unknown'))
  }
}

function runFrom(deps: WalkDeps, payment: PaymentRecord, request: RequestRecord, resource: Resource): Run | undefined {
  const { input, ticket, status } = request
  const isOpen = status === 'dispatched' && ticket.deadline > deps.nowSeconds()
  if (!input || !isOpen) return undefined
  const record = deps.registry.get(payment.functionId)
  const limits = (record && limitsClass(record.deployment.limitsClass)) ?? LIMITS_CLASSES[0]
  const { requestId, salt, paymentId, fromBlock, createdAtMs } = request
  return {
    draft: { requestId, ticket, salt, input, paymentId, fromBlock, createdAtMs },
    payment,
    lane: lanes[ticket.lane - 1] ?? 'attested',
    limits,
    resource,
  }
}

function resourceFor(deps: WalkDeps, payment: PaymentRecord): Resource {
  const record = deps.registry.get(payment.functionId)
  const limits = (record && limitsClass(record.deployment.limitsClass)) ?? LIMITS_CLASSES[0]
  if (record) return resourceOf(deps, record, '/', lifetimeOf(deps, limits))
  return { url: '', description: '', mimeType: 'application/json', maxTimeoutSeconds: lifetimeOf(deps, limits) }
}

async function waitElsewhere(deps: WalkDeps, payment: PaymentRecord): Promise<PaymentRecord> {
  const untilMs = Date.now() + deps.elsewhereMs
  while (Date.now() < untilMs) {
    await sleep(pollMs)
    const now = await findPayment(deps.database, payment.payment.id)
    if (now?.state === 'paid' && now.answerRequestId !== undefined) return now
    if (now?.state === 'released') break
  }
  throw new PeerHostError('payment_in_progress', 'The same payment is being served elsewhere.', {
    hint: 'Repeat the same request with the same payment.',
  })
}
