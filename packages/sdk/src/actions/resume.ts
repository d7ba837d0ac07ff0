import type { Connection } from '../connection.ts'
import { paymentResult } from '../payment/paymentResult.ts'
import { callOf, type PendingPayment, pendingPaymentFromJson } from '../payment/pendingPayment.ts'
import { sendPaid } from '../payment/sendPaid.ts'
import { type InvokeResponse, responseOf } from '../response.ts'

/**
 * Gets the answer of a call whose payment was signed before: sends the same request with the same signature, and never
 * signs. Throws as `invoke` does after signing.
 */
export async function resume(connection: Connection, parameters: resume.Parameters): Promise<resume.ReturnType> {
  const startedAt = performance.now()
  const pending = pendingPaymentFromJson(parameters.pendingPayment)
  const answer = await sendPaid(connection, pending, {
    maxAttempts: parameters.maxAttempts ?? 5,
    timeoutMs: parameters.timeoutMs ?? 180_000,
    signal: parameters.signal,
  })
  const payment = await paymentResult(connection, pending, answer)
  return responseOf(answer, callOf(pending), payment, performance.now() - startedAt)
}

export declare namespace resume {
  type Parameters = {
    pendingPayment: PendingPayment
    maxAttempts?: number | undefined
    timeoutMs?: number | undefined
    signal?: AbortSignal | undefined
  }
  type ReturnType = InvokeResponse
}
