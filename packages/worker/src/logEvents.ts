import { isPeerHostError } from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { WorkerEventHub, WorkerEventName } from './events.ts'

const levels: Partial<Record<WorkerEventName, 'debug' | 'warn' | 'error'>> = {
  'worker:error': 'error',
  'session:closed': 'warn',
  'job:unpaid': 'warn',
  'roll:refused': 'warn',
  'chain:endpoint-away': 'warn',
  'chain:interrupted': 'warn',
  'settlement:failed': 'error',
  'sets:conflict': 'error',
  'lane:refused': 'warn',
  'case:accused': 'error',
  'jury:abstained': 'warn',
  'job:accepted': 'debug',
  'roll:signed': 'debug',
}

/** One structured line per event. */
export function logEvents(events: WorkerEventHub, log: Logger): void {
  events.onAny((name, event) => {
    const fields = 'error' in event ? { ...event, error: describeError(event.error) } : event
    log[levels[name] ?? 'info']({ event: name, ...fields }, name)
  })
}

/** An error as plain fields: code, what happened, what to do. Causes by their message only. */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) }
  const cause = error.cause instanceof Error ? { cause: error.cause.message } : {}
  if (!isPeerHostError(error)) return { message: error.message, ...cause, stack: error.stack }
  const { code, message, details, hint } = error
  return { code, message, details, ...(hint === undefined ? {} : { hint }), ...cause }
}
