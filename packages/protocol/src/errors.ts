/**
 * Codes that may cross a process boundary: in `application/problem+json`, in MCP tool errors, in the CLI's JSON.
 * Adding one is a public API change; `docs/errors.md` says for each what happened and what to do next.
 */
export const errorCodes = [
  'request_invalid',
  'request_too_large',
  'function_not_found',
  'method_not_allowed',
  'payment_required',
  'payment_invalid',
  'payment_rejected',
  'payment_conflict',
  'payment_in_progress',
  'payment_settlement_failed',
  'payment_settlement_unknown',
  'credit_exhausted',
  'no_worker',
  'runtime_unavailable',
  'bundle_unavailable',
  'bundle_mismatch',
  'bundle_too_large',
  'build_failed',
  'config_invalid',
  'keystore_locked',
  'execution_timed_out',
  'execution_out_of_memory',
  'execution_threw',
  'execution_bad_module',
  'execution_output_too_large',
  'result_conflict',
  'response_mismatch',
  'receipt_invalid',
  'receipt_not_found',
  'upload_unauthorized',
  'secret_missing',
  'secret_unauthorized',
  'secrets_unavailable',
  'budget_exceeded',
  'price_drift',
  'payee_changed',
  'insufficient_funds',
  'chain_unavailable',
  'gateway_unavailable',
  'transaction_failed',
  'sandbox_unavailable',
  'not_isolated',
  'disk_full',
  'worker_not_registered',
  'conflict',
  'rate_limited',
  'shutting_down',
  'internal',
] as const

export type ErrorCode = (typeof errorCodes)[number]

export type PeerHostErrorOptions = {
  /** Facts that explain this one occurrence: one short line each, no secrets. */
  details?: readonly string[]
  /** What the reader should do next, as one sentence. */
  hint?: string
  cause?: unknown
}

/**
 * The one error class of the project. Test `isPeerHostError(e) && e.code === …`, never `instanceof`: two copies of
 * this package may meet in one process.
 */
export class PeerHostError extends Error {
  override readonly name = 'PeerHostError'
  readonly code: ErrorCode
  readonly details: readonly string[]
  readonly hint: string | undefined

  constructor(code: ErrorCode, message: string, options: PeerHostErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details ?? []
    this.hint = options.hint
  }
}

/** True for a `PeerHostError` of any copy of this package. */
export function isPeerHostError(error: unknown): error is PeerHostError {
  return error instanceof Error && error.name === 'PeerHostError' && isErrorCode((error as { code?: unknown }).code)
}

/** True when `value` is one of the codes of this version. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && (errorCodes as readonly string[]).includes(value)
}
