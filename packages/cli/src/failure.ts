import type { Colors } from './command.ts'

/** An error as the command line shows it: what, why, what to do next. */
export type Failure = { code: string; message: string; hint?: string; details?: readonly string[]; exitCode: number }

const exitCodes = { failed: 1, usage: 2, interrupted: 130 } as const

/** Any thrown value → what to show and the exit code. Recognises errors by name and code: two copies of a package may meet. */
export function toFailure(error: unknown, signal: AbortSignal): Failure {
  if (signal.aborted) return { code: 'interrupted', message: 'Interrupted.', exitCode: exitCodes.interrupted }
  if (!(error instanceof Error)) return { code: 'internal', message: String(error), exitCode: exitCodes.failed }
  const { hint, details, code } = error as { hint?: string; details?: readonly string[]; code?: unknown }
  const explained = { ...(hint ? { hint } : {}), ...(details?.length ? { details } : {}) }
  if (error.name === 'UsageError')
    return { code: 'usage', message: error.message, ...explained, exitCode: exitCodes.usage }
  const named = error.name === 'PeerHostError' && typeof code === 'string' ? code : 'internal'
  return { code: named, message: shortMessage(error), ...explained, exitCode: exitCodes.failed }
}

/** The failure as lines for people. */
export function formatFailure({ message, hint, details = [] }: Failure, colors: Colors): string {
  const lines = [`${colors.red('error')} ${message}`, ...details.map((detail) => colors.dim(`  ${detail}`))]
  return [...lines, ...(hint ? [`${colors.cyan('next')}  ${hint}`] : [])].join('\n')
}

/** viem puts a whole report into its messages; its first sentence says what happened. */
function shortMessage(error: Error): string {
  return (error as { shortMessage?: string }).shortMessage ?? error.message
}
