import crypto from 'node:crypto'
import perfHooks from 'node:perf_hooks'
import timers from 'node:timers'
import timersPromises from 'node:timers/promises'
import { createKeystream, type Keystream } from '../keystream.ts'
import { installDate } from '../realm/clock.ts'
import { createRandomness } from '../realm/randomness.ts'

/** What an execution may know of time and chance: both come from its ticket. `stall` is called whenever a timer was set. */
export type Terms = { clockMs: number; seed: string; stall?: (() => void) | undefined }

/**
 * Replaces the clocks and the randomness of this process, which runs one execution and ends. Returns what sets them to the
 * execution's terms, once these are known.
 * The clock stands while code runs and moves only when a timer fires, by what the timer was set to: so it does not depend on
 * the machine, and code that sleeps still sees time pass.
 */
export function installDeterminism(): (terms: Terms) => void {
  const clock: Clock = { nowMs: 0, startMs: 0, stall: undefined }
  let keystream: Keystream | undefined
  installClock(clock)
  installTimers(clock)
  const resetRandomness = installRandomness((length) => {
    if (!keystream) throw new Error('There is no randomness before the execution begins.')
    return keystream(length)
  })
  return ({ clockMs, seed, stall }) => {
    clock.nowMs = clockMs
    clock.startMs = clockMs
    clock.stall = stall
    keystream = createKeystream(Buffer.from(seed.slice(2), 'hex'))
    resetRandomness()
  }
}

type Clock = { nowMs: number; startMs: number; stall: (() => void) | undefined }

function replace(target: object, properties: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(properties))
    Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: true })
}

function installClock(clock: Clock): void {
  installDate(clock)
  const elapsedMs = () => clock.nowMs - clock.startMs
  replace(perfHooks.performance, { now: elapsedMs, toJSON: () => ({}) })
  Object.defineProperty(perfHooks.performance, 'timeOrigin', { get: () => clock.startMs, configurable: true })
  const hrtime = (before?: [number, number]): [number, number] => {
    const [seconds, nanoseconds] = before ?? [0, 0]
    const passed = BigInt(Math.round(elapsedMs() * 1e6)) - BigInt(seconds) * 1_000_000_000n - BigInt(nanoseconds)
    return [Number(passed / 1_000_000_000n), Number(passed % 1_000_000_000n)]
  }
  replace(hrtime, { bigint: () => BigInt(Math.round(elapsedMs() * 1e6)) })
  replace(process, { hrtime, uptime: () => elapsedMs() / 1_000 })
}

function installTimers(clock: Clock): void {
  const { setTimeout: later, setInterval: often } = timers
  const delayOf = (delay: unknown) => Math.max(1, Math.trunc(Number(delay)) || 1)
  const moving = (callback: (...values: unknown[]) => unknown, delayMs: number, repeats: boolean) => {
    let dueMs = clock.nowMs + delayMs
    return function (this: unknown, ...values: unknown[]) {
      clock.nowMs = Math.max(clock.nowMs, dueMs)
      if (repeats) dueMs = clock.nowMs + delayMs
      return callback.apply(this, values)
    }
  }
  const timer =
    (start: typeof later, repeats: boolean) =>
    (callback: never, delay?: unknown, ...values: never[]) => {
      if (typeof callback !== 'function') return start(callback)
      const handle = start(moving(callback, delayOf(delay), repeats), delayOf(delay), ...values)
      clock.stall?.()
      return handle
    }
  const sleep = timersPromises.setTimeout
  const sleeping = async (delay?: number, ...rest: never[]) => {
    const dueMs = clock.nowMs + delayOf(delay)
    const sleeping = sleep(delay, ...rest)
    clock.stall?.()
    const value = await sleeping
    clock.nowMs = Math.max(clock.nowMs, dueMs)
    return value
  }
  const replaced = { setTimeout: timer(later, false), setInterval: timer(often as never, true) }
  const custom = Symbol.for('nodejs.util.promisify.custom')
  Object.defineProperty(replaced.setTimeout, custom, { value: sleeping })
  replace(globalThis, replaced)
  replace(timers, replaced)
  replace(timersPromises, { setTimeout: sleeping })
  replace(timersPromises.scheduler, { wait: sleeping })
}

/** Puts one stream of bytes under all of Node's randomness. Returns what forgets the bytes that were drawn ahead. */
function installRandomness(keystream: Keystream): () => void {
  const { random, getRandomValues, randomUUID, reset } = createRandomness({
    random: (target) => target.set(keystream(target.length)),
  })
  const fillPart = (view: NodeJS.ArrayBufferView, offset = 0, size = view.byteLength - offset) => {
    new Uint8Array(view.buffer, view.byteOffset + offset, size).set(keystream(size))
    return view
  }
  const randomBytes = (size: number, done?: (error: null, bytes: Buffer) => void) => {
    const bytes = Buffer.from(keystream(size))
    if (done) process.nextTick(done, null, bytes)
    return done ? undefined : bytes
  }
  const randomInt = (first: number, second?: unknown, third?: unknown) => {
    const [minimum, maximum] = typeof second === 'number' ? [first, second] : [0, first]
    const done = typeof second === 'function' ? second : third
    const value = minimum + Math.floor(random() * (maximum - minimum))
    if (typeof done === 'function') process.nextTick(done, null, value)
    return value
  }
  replace(Math, { random })
  replace(globalThis.crypto, { getRandomValues, randomUUID })
  replace(crypto, {
    randomUUID,
    randomBytes,
    randomInt,
    randomFill: (view: NodeJS.ArrayBufferView, ...rest: unknown[]) => {
      const [offset, size] = rest.filter((value) => typeof value === 'number')
      fillPart(view, offset, size)
      process.nextTick(rest.at(-1) as () => void, null, view)
    },
    randomFillSync: fillPart,
  })
  return reset
}
