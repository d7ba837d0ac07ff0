import { setTimeout as sleep } from 'node:timers/promises'
import { epochAt, type ProtocolTimes, zeroBytes32 } from '@peerhost/protocol'
import { refusalOf } from './chain/contractErrors.ts'
import type { Operators } from './chain/operators.ts'
import type { WorkerEventHub } from './events.ts'

export type SeedsDeps = {
  deps: {
    operators: Pick<Operators, 'readEpoch' | 'readSeedBlock' | 'captureSeed'>
    protocolTimes: Pick<ProtocolTimes, 'epochSeconds'>
    events: WorkerEventHub
    now: () => number
    /** Longest wait before a capture, so that not every worker sends the same transaction. */
    jitterMs?: number
  }
  stopping: AbortController
}

const defaultJitterMs = 15_000

/** One round: captures the seed of this epoch and of the next one, as far as that is possible now and nobody else did. */
export async function keepSeeds({ deps, stopping }: SeedsDeps): Promise<void> {
  const { operators, protocolTimes, events, now, jitterMs = defaultJitterMs } = deps
  const current = epochAt(Math.floor(now() / 1_000), protocolTimes.epochSeconds)
  for (const epoch of [current, current + 1]) {
    if (!(await isDue(operators, epoch))) continue
    await sleep(Math.random() * jitterMs, undefined, { signal: stopping.signal }).catch(() => {})
    if (stopping.signal.aborted || !(await isDue(operators, epoch))) continue
    try {
      const transaction = await operators.captureSeed(epoch)
      events.emit('seed:captured', { epoch, transaction })
    } catch (error) {
      // Somebody else was a block earlier.
      if (!['SeedNotCapturable', 'SeedBlockPending'].includes(refusalOf(error) ?? '')) throw error
    }
  }
}

/** Whether a transaction would schedule the seed or capture it. */
async function isDue(operators: SeedsDeps['deps']['operators'], epoch: number): Promise<boolean> {
  const { seed } = await operators.readEpoch(epoch)
  if (seed !== zeroBytes32) return false
  const { seedBlock, head } = await operators.readSeedBlock(epoch)
  return seedBlock === 0n || head > seedBlock
}
