import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'

/** Something that has to happen again and again, without a request. */
export type Chore = { name: string; everyMs: number; run: () => Promise<void> }

/**
 * Runs each chore in its own time, never twice at once, until the signal. What fails is logged and comes again: every chore
 * finds out by itself what is left to do.
 */
export async function startUpkeep(deps: { chores: readonly Chore[]; log: Logger; signal: AbortSignal }): Promise<void> {
  await Promise.all(deps.chores.map((chore) => repeat(deps, chore)))
}

async function repeat({ log, signal }: { log: Logger; signal: AbortSignal }, chore: Chore): Promise<void> {
  while (!signal.aborted) {
    try {
      await chore.run()
    } catch (error) {
      if (!signal.aborted) log.warn({ err: error, chore: chore.name }, 'upkeep failed')
    }
    await sleep(chore.everyMs, undefined, { signal }).catch(() => undefined)
  }
}
