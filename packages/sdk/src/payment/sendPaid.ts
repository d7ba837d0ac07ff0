import { isPeerHostError, PeerHostError } from '@peerhost/protocol'
import type { Connection } from '../connection.ts'
import { type Answer, exchange } from '../exchange.ts'
import { problemError, problemOf } from '../requestGateway.ts'
import { sleep } from '../sleep.ts'
import { readOutcome } from './paymentResult.ts'
import { callOf, type PendingPayment, withPayment } from './pendingPayment.ts'

/** How often and how long one signed payment is sent, each time with the same signature. */
export type PaidSending = { maxAttempts: number; timeoutMs: number; signal?: AbortSignal | undefined }

const firstPauseMs = 250
const longestPauseMs = 5_000

/**
 * Sends a signed request until it has an answer: lost connections, 5xx of the gateway and “still in progress” are asked
 * again with the same signature, so at most one payment is ever made. Gives the function's answer, or throws an error that
 * carries the payment and what is known about the money.
 */
export async function sendPaid(connection: Connection, pending: PendingPayment, sending: PaidSending): Promise<Answer> {
  const call = callOf(pending)
  const deadline = AbortSignal.timeout(sending.timeoutMs)
  const signal = sending.signal ? AbortSignal.any([sending.signal, deadline]) : deadline
  let last: unknown
  for (let attempt = 0; attempt < sending.maxAttempts; attempt++) {
    try {
      const answer = await exchange(connection, call, [['payment-signature', pending.paymentSignature]], signal)
      if (isFinal(answer)) return answer
      if (!isRetryable(answer)) throw await refused(connection, pending, answer)
      last = problemError(answer.status, answer.body)
      await sleep(pauseMs(attempt, answer.headers.get('retry-after')), signal)
    } catch (error) {
      if (isPeerHostError(error) && error.code !== 'gateway_unavailable') throw withOutcome(error, pending)
      last = error
      if (signal.aborted) break
      await sleep(pauseMs(attempt, null), signal).catch(() => {})
    }
  }
  throw await unanswered(connection, pending, last)
}

/** A function's answer: it has a receipt, or is a success of a server that gives none. */
function isFinal(answer: Answer): boolean {
  return answer.headers.has('peerhost-receipt') || (answer.status < 400 && answer.status !== 202)
}

function isRetryable(answer: Answer): boolean {
  const problem = problemOf(answer.body)
  if (answer.status === 402) return false
  return (
    problem?.retryable === true ||
    problem?.code === 'payment_in_progress' ||
    answer.status >= 500 ||
    [202, 408, 425, 429].includes(answer.status)
  )
}

async function refused(connection: Connection, pending: PendingPayment, answer: Answer): Promise<PeerHostError> {
  const outcome = await readOutcome(connection, pending)
  const problem = problemOf(answer.body)
  if (outcome === 'paid') {
    return withPayment(
      new PeerHostError('payment_settlement_unknown', 'The money moved, but the gateway refuses the answer.', {
        details: [`Status: ${answer.status}`, ...(problem?.detail ? [`Gateway: ${problem.detail}`] : [])],
        hint: 'Call resume() with `pendingPayment` of this error; no second payment is made.',
      }),
      pending,
      outcome,
    )
  }
  if (problem && problem.code !== 'payment_required') {
    return withPayment(problemError(answer.status, answer.body), pending, outcome)
  }
  return withPayment(
    new PeerHostError('payment_rejected', 'The gateway did not take the payment.', {
      details: [`Status: ${answer.status}`, ...reasonOf(answer.headers)],
      hint: 'Check the balance of the account; the quote may also have changed: call again for a new one.',
    }),
    pending,
    outcome,
  )
}

async function unanswered(connection: Connection, pending: PendingPayment, cause: unknown): Promise<PeerHostError> {
  const outcome = await readOutcome(connection, pending)
  const expired = Date.now() / 1_000 > pending.authorization.validBeforeSeconds
  if (outcome === 'not-paid' && expired) {
    return withPayment(
      new PeerHostError('payment_settlement_failed', 'There was no answer, and the payment has lapsed unused.', {
        cause,
        hint: 'Nothing was paid: call again.',
      }),
      pending,
      outcome,
    )
  }
  const state = outcome === 'paid' ? 'The money moved' : 'The money has not moved so far'
  return withPayment(
    new PeerHostError('payment_settlement_unknown', `${state}, but there was no answer to the paid call.`, {
      cause,
      details: [`Payer: ${pending.authorization.payer}`, `Nonce: ${pending.authorization.nonce}`],
      hint: 'Call resume() with `pendingPayment` of this error; no second payment is made.',
    }),
    pending,
    // An authorization that is still valid may be collected after this moment.
    outcome === 'paid' ? 'paid' : 'unknown',
  )
}

function withOutcome(error: PeerHostError, pending: PendingPayment): PeerHostError {
  return 'pendingPayment' in error ? error : withPayment(error, pending, 'unknown')
}

function reasonOf(headers: Headers): string[] {
  for (const name of ['payment-response', 'payment-required']) {
    const header = headers.get(name)
    if (header === null) continue
    try {
      const value = JSON.parse(atob(header)) as { errorReason?: unknown; error?: unknown }
      const reason = value.errorReason ?? value.error
      if (typeof reason === 'string') return [`Reason: ${reason.slice(0, 200)}`]
    } catch {}
  }
  return []
}

function pauseMs(attempt: number, retryAfter: string | null): number {
  const seconds = retryAfter !== null && /^[0-9]{1,4}$/.test(retryAfter) ? Number(retryAfter) : undefined
  return Math.min(longestPauseMs, seconds === undefined ? firstPauseMs * 2 ** attempt : seconds * 1_000)
}
