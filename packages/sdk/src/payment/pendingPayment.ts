import { fromBase64, PeerHostError, toBase64 } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { z } from 'zod'
import type { Call } from '../call.ts'
import { addressSchema, bytes32Schema } from '../schema.ts'

const pendingPaymentSchema = z.object({
  v: z.literal(1),
  url: z.url({ protocol: /^https?$/ }),
  method: z.string().regex(/^[A-Z]{1,16}$/),
  headers: z.array(z.tuple([z.string(), z.string()])),
  /** Base64; absent when the request has no body. */
  body: z.string().optional(),
  functionId: bytes32Schema.optional(),
  /** The value of the PAYMENT-SIGNATURE header. Whoever has it can have this request answered, and nothing else. */
  paymentSignature: z.string(),
  authorization: z.object({
    network: z.string(),
    asset: addressSchema,
    payer: addressSchema,
    payTo: addressSchema,
    /** Atomic units. */
    amount: z.string().regex(/^(0|[1-9][0-9]{0,38})$/),
    nonce: bytes32Schema,
    validBeforeSeconds: z.int().positive(),
  }),
})

/**
 * A request and the payment that was signed for it. Plain JSON: keep it, and `resume` gets the answer without a second
 * payment, whatever happened in between.
 */
export type PendingPayment = z.output<typeof pendingPaymentSchema>

/** Whether the money of a signed payment moved, as far as it can be known. */
export type PaymentOutcome = 'paid' | 'not-paid' | 'unknown'

export function pendingPaymentFor(
  call: Call,
  paymentSignature: string,
  authorization: PendingPayment['authorization'],
): PendingPayment {
  return {
    v: 1,
    url: call.url,
    method: call.method,
    headers: call.headers.map(([name, value]) => [name, value]),
    ...(call.body === undefined ? {} : { body: toBase64(call.body) }),
    ...(call.functionId === undefined ? {} : { functionId: call.functionId }),
    paymentSignature,
    authorization,
  }
}

/** JSON value → pending payment. Throws `payment_invalid`. */
export function pendingPaymentFromJson(value: unknown): PendingPayment {
  const parsed = pendingPaymentSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new PeerHostError('payment_invalid', 'This is not a pending payment.', {
    details: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  })
}

/** The request inside a pending payment, byte for byte. */
export function callOf(pending: PendingPayment): Call {
  return {
    url: pending.url,
    method: pending.method,
    headers: pending.headers,
    body: pending.body === undefined ? undefined : fromBase64(pending.body),
    functionId: pending.functionId as Hex | undefined,
  }
}

/** An error of a call for which a payment was signed: what is known about the money, and what is needed to ask again. */
export type PaidCallError = PeerHostError & { paymentOutcome: PaymentOutcome; pendingPayment: PendingPayment }

/** Adds the signed payment to an error, so that no caller is left without a way to ask again. */
export function withPayment(
  error: PeerHostError,
  pendingPayment: PendingPayment,
  paymentOutcome: PaymentOutcome,
): PaidCallError {
  return Object.assign(error, { pendingPayment, paymentOutcome })
}

/** True for an error that was thrown after a payment had been signed. */
export function isPaidCallError(error: unknown): error is PaidCallError {
  return error instanceof Error && 'pendingPayment' in error && 'paymentOutcome' in error
}
