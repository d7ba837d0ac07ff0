import { setTimeout as sleep } from 'node:timers/promises'
import type { Journal } from './journal.ts'
import { isPayable } from './laneAnswers.ts'
import type { OwnSettlement } from './settleMyself.ts'

export type CollectPayDeps = {
  journal: Pick<Journal, 'entries'>
  own: Pick<OwnSettlement, 'sweep'>
  now: () => number
  signal: AbortSignal
}

const lookEveryMs = 100

/**
 * Before a worker goes: waits for its gateways to settle what it ran, and brings what they left to the chain itself,
 * because nobody may ever start it again. Never throws.
 */
export async function collectPay({ journal, own, now, signal }: CollectPayDeps, withinMs: number): Promise<void> {
  const isOwed = () => journal.entries().some((entry) => !entry.settledBy && isPayable(entry))
  const deadline = performance.now() + withinMs
  while (isOwed() && performance.now() < deadline && !signal.aborted)
    await sleep(lookEveryMs, undefined, { signal }).catch(() => {})
  if (isOwed() && !signal.aborted) await own.sweep(Math.floor(now() / 1_000), { patiently: false })
}
