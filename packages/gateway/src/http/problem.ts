import { type ErrorCode, isPeerHostError, PeerHostError } from '@peerhost/protocol'

/** The HTTP status of every code that this server can answer with. A new code does not compile until it has one. */
export const httpStatus = {
  request_invalid: 400,
  request_too_large: 413,
  function_not_found: 404,
  method_not_allowed: 405,
  payment_required: 402,
  payment_invalid: 400,
  payment_rejected: 402,
  payment_conflict: 409,
  payment_in_progress: 409,
  payment_settlement_failed: 402,
  payment_settlement_unknown: 503,
  credit_exhausted: 503,
  no_worker: 503,
  runtime_unavailable: 503,
  bundle_unavailable: 503,
  bundle_mismatch: 502,
  bundle_too_large: 413,
  build_failed: 422,
  config_invalid: 500,
  keystore_locked: 500,
  execution_timed_out: 504,
  execution_out_of_memory: 507,
  execution_threw: 500,
  execution_bad_module: 500,
  execution_output_too_large: 500,
  result_conflict: 502,
  response_mismatch: 502,
  receipt_invalid: 400,
  receipt_not_found: 404,
  upload_unauthorized: 401,
  secret_missing: 503,
  secret_unauthorized: 401,
  secrets_unavailable: 501,
  budget_exceeded: 402,
  price_drift: 409,
  payee_changed: 409,
  insufficient_funds: 402,
  chain_unavailable: 503,
  gateway_unavailable: 503,
  transaction_failed: 502,
  sandbox_unavailable: 503,
  not_isolated: 503,
  disk_full: 503,
  worker_not_registered: 403,
  conflict: 409,
  rate_limited: 429,
  shutting_down: 503,
  internal: 500,
} as const satisfies Record<ErrorCode, number>

/** Seconds after which the same request may succeed. Codes that are not here are not retryable as they are. */
const retryAfterSeconds: Partial<Record<ErrorCode, number>> = {
  payment_in_progress: 1,
  payment_settlement_unknown: 2,
  no_worker: 2,
  result_conflict: 2,
  chain_unavailable: 2,
  bundle_unavailable: 5,
  credit_exhausted: 30,
  shutting_down: 1,
  rate_limited: 1,
}

/** An error as RFC 9457 JSON, with the headers that belong to it. */
export type Problem = { status: number; headers: [name: string, value: string][]; body: Record<string, unknown> }

/** Any thrown value → problem. What is not ours is `internal`, and says nothing of its insides. */
export function problemOf(thrown: unknown, context: { requestId?: string | undefined } = {}): Problem {
  const error = isPeerHostError(thrown)
    ? thrown
    : new PeerHostError('internal', 'The gateway failed.', { hint: 'Report it with the request id.' })
  const { code, details, hint } = error
  const status = httpStatus[code]
  const retryAfter = retryAfterSeconds[code]
  const headers: [string, string][] = [
    ['content-type', 'application/problem+json'],
    ['cache-control', 'no-store'],
  ]
  if (retryAfter !== undefined) headers.push(['retry-after', String(retryAfter)])
  if (code === 'method_not_allowed') headers.push(['allow', details.join(', ')])
  if (status === 401) headers.push(['www-authenticate', 'PeerHost'])
  return {
    status,
    headers,
    body: {
      type: `urn:peerhost:problem:${code}`,
      title: titleOf(code),
      status,
      detail: [error.message, ...details].join(' ').slice(0, 2_000),
      code,
      ...(context.requestId === undefined ? {} : { requestId: context.requestId }),
      retryable: retryAfter !== undefined,
      ...(hint === undefined ? {} : { hint }),
    },
  }
}

function titleOf(code: ErrorCode): string {
  const words = code.replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
