import { setTimeout as sleep } from 'node:timers/promises'
import type { PostedRequest } from './chain/lane.ts'
import { keepSeeds } from './seeds.ts'
import { defaultTimes, type WorkerParts } from './workerParts.ts'

/** How often a worker without a seat asks for one. */
const seatRetryMs = 1_000

/** In milliseconds. */
type Period = number | (() => number)

/** What goes on beside the jobs, until the worker stops. */
export function startBackground(
  parts: WorkerParts,
  checkOperator: () => Promise<void>,
  isSeated: () => boolean,
): Promise<void>[] {
  const { deps, own, stopping } = parts
  const times = { ...defaultTimes, ...deps.times }
  const nowSeconds = () => Math.floor(deps.now() / 1_000)
  const compact = async () => {
    const dropped = await deps.journal.compact(nowSeconds())
    if (dropped > 0) deps.events.emit('journal:compacted', { dropped })
  }
  // Soon again while the chain does not seat it: its clock may be a little behind the registration's block. Or while the
  // disk is full.
  const operatorCheckMs = () => (isSeated() && !deps.journal.isBroken() ? times.operatorCheckEveryMs : seatRetryMs)
  const repeat = (during: string, everyMs: Period, action: () => Promise<void>) => every(parts, during, everyMs, action)
  return [
    repeat('own settlement', times.sweepEveryMs, () => own.sweep(nowSeconds())),
    repeat('operator check', operatorCheckMs, checkOperator),
    repeat('journal compaction', times.compactEveryMs, compact),
    ...(deps.capturesSeeds ? [repeat('epoch seeds', times.seedCheckEveryMs, () => keepSeeds(parts))] : []),
    ...(parts.court ? parts.court.start(stopping.signal) : []),
    ...(deps.watchRequests ? [deps.watchRequests((posted) => takePosted(parts, posted), stopping.signal)] : []),
  ]
}

function takePosted({ lane, stopping }: WorkerParts, posted: PostedRequest): Promise<void> {
  return lane.take(posted, stopping.signal)
}

/** Repeats an action, never beside itself, until the worker stops. */
async function every(
  { deps, stopping }: WorkerParts,
  during: string,
  everyMs: Period,
  action: () => Promise<void>,
): Promise<void> {
  const { signal } = stopping
  while (!signal.aborted) {
    await sleep(typeof everyMs === 'number' ? everyMs : everyMs(), undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    await action().catch((error: unknown) => deps.events.emit('worker:error', { during, error }))
  }
}
