import { epochAt, zeroBytes32 } from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { Chain } from '../chain/chain.ts'

export type SeedDeps = {
  chain: Pick<Chain, 'epoch' | 'captureSeed' | 'parametersAt'>
  log: Logger
  epochSeconds: number
  nowSeconds: () => number
}

/** Captures the seeds of epochs, now and then. Anyone may: so each gateway waits a while of its own for another to do it. */
export type SeedCapture = {
  run: () => Promise<void>
  /** Somebody waits for the seed of this epoch. */
  want: (epoch: number) => void
}

/** Where seats are drawn, somebody waits for the seed soon; elsewhere only audits need it, hours later. */
const longestWaitSeconds = 30
/** Not needed in the request path, so not in a hurry: a share of the epoch. */
const lazyShare = 0.5

export function createSeedCapture(deps: SeedDeps): SeedCapture {
  const captured = new Set<number>()
  const dueAtSeconds = new Map<number, number>()
  const captureOne = async (epoch: number, now: number): Promise<void> => {
    if (captured.has(epoch)) return
    const [{ seed, operatorCount }, { committeeSize }] = await Promise.all([
      deps.chain.epoch(epoch),
      deps.chain.parametersAt(now),
    ])
    if (seed !== zeroBytes32) {
      captured.add(epoch)
      dueAtSeconds.delete(epoch)
      return
    }
    const lazy = deps.epochSeconds * lazyShare
    const wait = operatorCount > committeeSize ? Math.min(longestWaitSeconds, deps.epochSeconds / 8) : lazy
    const due = dueAtSeconds.get(epoch) ?? now + Math.floor(Math.random() * wait)
    dueAtSeconds.set(epoch, due)
    if (now < due) return
    // The first call schedules it, a later one captures it; what is refused is tried again in the next round.
    const sent = await deps.chain.captureSeed(epoch)
    if (sent.type === 'reverted') deps.log.debug({ epoch, reason: sent.reason }, 'seed not captured')
    else deps.log.info({ epoch, transaction: sent.transaction }, 'seed scheduled or captured')
  }
  return {
    want: (epoch) => dueAtSeconds.set(epoch, 0),
    run: async () => {
      const now = deps.nowSeconds()
      const current = epochAt(now, deps.epochSeconds)
      for (const set of [captured, dueAtSeconds])
        for (const epoch of [...set.keys()]) if (epoch < current) set.delete(epoch)
      for (const epoch of [current, current + 1]) await captureOne(epoch, now)
    },
  }
}
