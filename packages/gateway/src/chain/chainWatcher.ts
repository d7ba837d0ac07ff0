import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Chain, ChainEvent, ChainHead } from './chain.ts'

/** Follows the chain: every event once it is there, from a cursor, after any interruption. */
export type ChainWatcher = {
  /** The newest head that was seen. Throws before the first one. */
  head: () => ChainHead
  /** Milliseconds since the head was last read. */
  headAgeMs: () => number
  /** Reads everything up to the head once; used at the start, before anything is served. */
  catchUp: (signal: AbortSignal) => Promise<void>
  /** Goes on until the signal; errors of the RPC are logged and tried again. */
  follow: (signal: AbortSignal) => Promise<void>
}

export type ChainWatcherDeps = {
  chain: Pick<Chain, 'head' | 'events'>
  log: Logger
  pollIntervalMs: number
  /** First block that was not read yet. */
  fromBlock: bigint
  /** Called with the events of a range, in order, and then moved on. A range may come twice after an error. */
  onEvents: (events: readonly ChainEvent[], throughBlock: bigint) => Promise<void>
}

/** Ranges are read again this deep, so that a short reorganisation leaves nothing behind. */
const rereadBlocks = 3n
const pageBlocks = 5_000n
const longestPauseMs = 10_000

export function createChainWatcher(deps: ChainWatcherDeps): ChainWatcher {
  let head: ChainHead | undefined
  let readAtMs = 0
  let next = deps.fromBlock
  const readOnce = async (): Promise<void> => {
    head = await deps.chain.head()
    readAtMs = Date.now()
    if (head.number < next) {
      // A shorter chain: a development chain began anew, or a deep reorganisation.
      if (head.number + 1n < next) next = head.number + 1n
      return
    }
    let from = next > rereadBlocks ? next - rereadBlocks : 0n
    if (from < deps.fromBlock) from = deps.fromBlock
    while (from <= head.number) {
      const to = from + pageBlocks < head.number ? from + pageBlocks : head.number
      await deps.onEvents(await deps.chain.events(from, to), to)
      from = to + 1n
    }
    next = head.number + 1n
  }
  return {
    head: () => {
      if (!head) throw new Error('The chain was not read yet.')
      return head
    },
    headAgeMs: () => Date.now() - readAtMs,
    catchUp: async (signal) => {
      signal.throwIfAborted()
      await readOnce()
    },
    follow: async (signal) => {
      let pauseMs = deps.pollIntervalMs
      while (!signal.aborted) {
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
        if (signal.aborted) return
        try {
          await readOnce()
          pauseMs = deps.pollIntervalMs
        } catch (error) {
          deps.log.warn({ err: error }, 'the chain could not be read')
          pauseMs = Math.min(Math.max(pauseMs, 100) * 2, longestPauseMs)
        }
      }
    },
  }
}
