import { PeerHostError } from '@peerhost/protocol'
import { type Call, type CallParameters, prepareCall } from '../call.ts'
import type { Connection } from '../connection.ts'
import { requireAccount } from '../connection.ts'
import { type Answer, exchange } from '../exchange.ts'
import { assertWithinCap } from '../payment/assertWithinCap.ts'
import { chooseRequirement, type Quote } from '../payment/chooseRequirement.ts'
import { paymentRequiredOf } from '../payment/paymentRequired.ts'
import { paymentResult } from '../payment/paymentResult.ts'
import type { PendingPayment } from '../payment/pendingPayment.ts'
import { sendPaid } from '../payment/sendPaid.ts'
import { signPayment } from '../payment/signPayment.ts'
import { problemError, problemOf } from '../requestGateway.ts'
import { type InvokeResponse, responseOf } from '../response.ts'

/**
 * Calls a function and pays for it when it has a price within `maxPrice`. What the function answers is returned whatever
 * its status; what the gateway refuses before the function runs is thrown.
 *
 * Nothing is signed before every way to pay was compared with the chain's registry and the cap, and `authorize` agreed.
 * One call signs at most once: lost answers are asked for again with the same signature. An error after signing carries
 * `pendingPayment` and `paymentOutcome` (see `isPaidCallError`); `resume` takes it from there.
 *
 * @example
 * const response = await invoke(connection, { functionId, query: { city: 'Oslo' }, maxPrice: '0.01' })
 * console.log(response.json(), response.payment?.amountText, response.receipt?.requestId)
 */
export async function invoke(connection: Connection, parameters: invoke.Parameters): Promise<invoke.ReturnType> {
  const startedAt = performance.now()
  const { signal } = parameters
  const call = await prepareCall(connection, parameters, signal)
  const answer = await exchange(connection, call, [], signal)
  if (answer.status !== 402 || answer.headers.has('peerhost-receipt')) {
    assertFunctionAnswered(answer)
    return responseOf(answer, call, undefined, performance.now() - startedAt)
  }
  const pending = await pay(connection, call, answer, parameters)
  const paid = await sendPaid(connection, pending, {
    maxAttempts: parameters.maxAttempts ?? 5,
    timeoutMs: parameters.timeoutMs ?? 180_000,
    signal,
  })
  return responseOf(paid, call, await paymentResult(connection, pending, paid), performance.now() - startedAt)
}

export declare namespace invoke {
  type Parameters = CallParameters & {
    /** Most that this call may cost, in decimal tokens; "0" when absent: free functions only. */
    maxPrice?: string | undefined
    /** Asked before anything is signed. Throw to refuse; what it throws is what `invoke` throws. */
    authorize?: ((quote: Quote) => void | Promise<void>) | undefined
    /** Told of the signed payment before it is sent: keep it, and a crash loses nothing. */
    onSigned?: ((pendingPayment: PendingPayment) => void | Promise<void>) | undefined
    /** Most sendings of the signed request; 5 when absent. */
    maxAttempts?: number | undefined
    /** Longest wait for the answer of a paid call; 180 000 when absent. */
    timeoutMs?: number | undefined
    signal?: AbortSignal | undefined
  }
  type ReturnType = InvokeResponse
}

async function pay(connection: Connection, call: Call, answer: Answer, parameters: invoke.Parameters) {
  const challenge = paymentRequiredOf(answer.headers)
  const quote = await chooseRequirement(connection, call, challenge)
  assertWithinCap(connection, quote, parameters.maxPrice ?? '0')
  requireAccount(connection, 'Paying for a call')
  await parameters.authorize?.(quote)
  parameters.signal?.throwIfAborted()
  const pending = await signPayment(connection, call, challenge, quote.requirements)
  await parameters.onSigned?.(pending)
  return pending
}

function assertFunctionAnswered(answer: Answer): void {
  if (answer.headers.has('peerhost-receipt')) return
  if (problemOf(answer.body)) throw problemError(answer.status, answer.body)
  if (answer.status >= 500) {
    throw new PeerHostError('gateway_unavailable', `The gateway answered ${answer.status} without a receipt.`, {
      hint: 'Try again in a moment.',
    })
  }
}
