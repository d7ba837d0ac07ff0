import type { Clock } from './clock.ts'

type Timer = { readonly id: number; dueMs: number; readonly everyMs: number | undefined; readonly call: () => void }

export type Timers = {
  /** Fires the earliest timer, after the clock has moved to it. False: there is none. */
  fire: () => boolean
  /** When the earliest is due; undefined: there is none. */
  nextMs: () => number | undefined
  clear: () => void
}

/**
 * Timers that nobody waits for: when nothing else is left to do, the clock moves to the earliest one. A function that
 * sleeps sees time pass and costs none, and the order is that of due times, then of setting.
 */
export function installTimers(clock: Clock): Timers {
  const timers = new Map<number, Timer>()
  let lastId = 0
  const set =
    (repeats: boolean) =>
    (callback: unknown, delay?: unknown, ...values: unknown[]) => {
      if (typeof callback !== 'function') throw new TypeError('The callback of a timer must be a function.')
      const delayMs = Math.max(1, Math.trunc(Number(delay)) || 1)
      lastId += 1
      const call = () => void callback(...values)
      timers.set(lastId, { id: lastId, dueMs: clock.nowMs + delayMs, everyMs: repeats ? delayMs : undefined, call })
      return lastId
    }
  const clear = (id: unknown) => void timers.delete(Number(id))
  const functions = {
    setTimeout: set(false),
    setInterval: set(true),
    clearTimeout: clear,
    clearInterval: clear,
    setImmediate: (callback: unknown, ...values: unknown[]) => set(false)(callback, 0, ...values),
    clearImmediate: clear,
  }
  for (const [name, value] of Object.entries(functions))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: true })
  return {
    nextMs: () => earliest(timers)?.dueMs,
    clear: () => timers.clear(),
    fire() {
      const next = earliest(timers)
      if (!next) return false
      clock.nowMs = Math.max(clock.nowMs, next.dueMs)
      if (next.everyMs === undefined) timers.delete(next.id)
      else next.dueMs = clock.nowMs + next.everyMs
      next.call()
      return true
    },
  }
}

function earliest(timers: ReadonlyMap<number, Timer>): Timer | undefined {
  let found: Timer | undefined
  // The map is in order of setting: of two with the same time, the first that was set.
  for (const timer of timers.values()) if (!found || timer.dueMs < found.dueMs) found = timer
  return found
}
