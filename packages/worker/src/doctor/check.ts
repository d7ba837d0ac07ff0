/** One thing that was looked at. `warn`: it works, and could be better; `fail`: no worker works like this. */
export type Check = { name: string; status: 'ok' | 'warn' | 'fail'; detail: string; next?: string }

export const ok = (name: string, detail: string): Check => ({ name, status: 'ok', detail })
export const warn = (name: string, detail: string, next: string): Check => ({ name, status: 'warn', detail, next })
export const fail = (name: string, detail: string, next: string): Check => ({ name, status: 'fail', detail, next })

/** The message of what was thrown. */
export function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { shortMessage, details } = error as { shortMessage?: string; details?: unknown }
  const more = Array.isArray(details) && details.length > 0 ? ` ${details.join('; ')}` : ''
  return `${shortMessage ?? error.message}${more}`
}
