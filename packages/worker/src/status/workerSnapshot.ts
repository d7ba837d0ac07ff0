import { declineReasons, isPeerHostError } from '@peerhost/protocol'
import { getAddress, isAddress } from 'viem'
import { z } from 'zod'
import type { WorkerEventHub } from '../events.ts'
import type { Worker } from '../worker.ts'

const addressSchema = z
  .string()
  .refine((text) => isAddress(text))
  .transform((text) => getAddress(text))
const count = z.int().nonnegative()
/** In seconds since 1970. */
const time = z.int().nonnegative()

/** What a running worker says of itself at `/status`. */
export const workerSnapshotSchema = z.object({
  operator: addressSchema,
  executionKey: addressSchema,
  state: z.enum(['idle', 'running', 'draining', 'stopped']),
  startedAt: time,
  /** Whether the chain lets its key sign now. */
  operatorActive: z.boolean(),
  capacity: count,
  running: count,
  /** Requests that were run and are not settled yet. */
  owed: count,
  gateways: z.array(z.object({ url: z.string(), connected: z.boolean(), problem: z.string().optional() })),
  attested: count,
  settled: count,
  /** Requests that were run and will never be paid. */
  unpaid: count,
  lastAcceptedAt: time.optional(),
  lastSettledAt: time.optional(),
  declined: z.array(z.object({ reason: z.enum(declineReasons), count, lastAt: time })),
  lastError: z.object({ during: z.string(), message: z.string(), at: time }).optional(),
})
export type WorkerSnapshot = z.output<typeof workerSnapshotSchema>

type Declined = WorkerSnapshot['declined'][number]

/** Remembers what a worker's events said. Begin before the worker does. */
export function createSnapshots(events: WorkerEventHub, now: () => number) {
  const seconds = () => Math.floor(now() / 1_000)
  const startedAt = seconds()
  const gateways = new Map<string, WorkerSnapshot['gateways'][number]>()
  const declined = new Map<string, Declined>()
  const seen = { operatorActive: false, attested: 0, settled: 0, unpaid: 0 }
  const last: Pick<WorkerSnapshot, 'lastAcceptedAt' | 'lastSettledAt' | 'lastError'> = {}
  events.on('session:open', ({ url }) => gateways.set(url, { url, connected: true }))
  events.on('session:closed', ({ url, reason }) => gateways.set(url, { url, connected: false, problem: reason }))
  events.on('operator:active', ({ active }) => {
    seen.operatorActive = active
  })
  events.on('job:accepted', () => {
    last.lastAcceptedAt = seconds()
  })
  events.on('job:attested', () => {
    seen.attested += 1
  })
  events.on('job:settled', ({ requestIds }) => {
    seen.settled += requestIds.length
    last.lastSettledAt = seconds()
  })
  events.on('job:unpaid', () => {
    seen.unpaid += 1
  })
  events.on('job:declined', ({ reason }) => {
    declined.set(reason, { reason, count: (declined.get(reason)?.count ?? 0) + 1, lastAt: seconds() })
  })
  events.on('worker:error', ({ during, error }) => {
    last.lastError = { during, message: messageOf(error), at: seconds() }
  })
  type Facts = Pick<WorkerSnapshot, 'operator' | 'executionKey' | 'capacity'> & {
    gateways: readonly string[]
    worker: Pick<Worker, 'state' | 'running' | 'owed'>
  }
  /** The worker as it is now. */
  return ({ worker, gateways: wanted, ...facts }: Facts): WorkerSnapshot => ({
    ...facts,
    state: worker.state(),
    startedAt,
    ...seen,
    running: worker.running(),
    owed: worker.owed(),
    gateways: wanted.map((url) => gateways.get(url) ?? { url, connected: false }),
    ...last,
    declined: [...declined.values()],
  })
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return isPeerHostError(error) ? `${error.message} ${error.details.join('; ')}`.trim() : error.message
}
