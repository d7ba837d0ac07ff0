/**
 * Conditions of a juror's runs. An honest machine could have been any of them: another moment for the optimizing compiler,
 * a full processor, a smaller heap. A function whose result follows from its request alone gives the same bytes under all.
 * Number 0 is the ordinary run; only that one is ever attested. `docs/economics.md` has what each finds.
 */
export type Variation = {
  readonly name: string
  /** V8's flags for one run. What they are set to is drawn anew each time, so that a function cannot know it. */
  readonly flags: (draw: Draw) => readonly string[]
  /** Share of the heap that the limits class allows. Default: all of it. */
  readonly heapShare?: number
  /** How much longer than its class allows a run may take. Default: as long. */
  readonly timeFactor?: number
  /** A thread beside it that never rests. */
  readonly isLoaded?: boolean
  /** The process is stopped for a moment, again and again. */
  readonly isPaused?: boolean
  /** It stands still for up to this long when a timer was set. */
  readonly stallMs?: number
}

/** A number from `minimum` to `maximum`, drawn with equal chances per factor, as a whole number. */
export type Draw = (minimum: number, maximum: number) => number

const slow = 4
const stallMs = 25

export const variations: readonly Variation[] = [
  { name: 'ordinary', flags: () => [] },
  { name: 'larger stack', flags: (draw) => [`--stack-size=${draw(990, 1_060)}`] },
  {
    name: 'other moment for the optimizer',
    flags: (draw) => [
      `--invocation-count-for-feedback-allocation=${draw(1, 64)}`,
      `--invocation-count-for-maglev=${draw(10, 4_000)}`,
      `--invocation-count-for-maglev-osr=${draw(5, 1_000)}`,
      `--invocation-count-for-turbofan=${draw(50, 30_000)}`,
      `--invocation-count-for-osr=${draw(10, 5_000)}`,
      `--wasm-tiering-budget=${draw(1_000, 50_000_000)}`,
    ],
  },
  {
    name: 'interpreter',
    flags: () => ['--no-sparkplug', '--no-maglev', '--no-turbofan', '--liftoff-only', '--regexp-interpret-all'],
    timeFactor: slow,
    stallMs,
  },
  {
    name: 'late optimizer',
    flags: (draw) => [`--concurrent-recompilation-delay=${draw(1, 40)}`],
    isLoaded: true,
    timeFactor: slow,
    stallMs,
  },
  {
    name: 'optimizer at once',
    flags: () => ['--always-sparkplug', '--no-concurrent-recompilation', '--no-liftoff', '--no-wasm-tier-up'],
    timeFactor: slow,
    stallMs,
  },
  {
    name: 'smaller heap',
    flags: () => ['--max-semi-space-size=1', '--gc-global'],
    heapShare: 0.8,
    timeFactor: slow,
    stallMs,
  },
  { name: 'smaller stack', flags: (draw) => [`--stack-size=${draw(910, 978)}`] },
  { name: 'pauses', flags: () => ['--single-threaded'], isPaused: true, timeFactor: slow, stallMs },
  {
    name: 'plainer processor',
    flags: () => ['fma3', 'avx2', 'bmi1', 'bmi2', 'lzcnt', 'popcnt'].map((part) => `--no-enable-${part}`),
  },
  { name: 'rare garbage collection', flags: () => ['--min-semi-space-size=16', '--no-concurrent-sparkplug'] },
]

/** The conditions with this number. Throws for a number that is not in the table. */
export function variationOf(number: number): Variation {
  const found = variations[number]
  if (!found) throw new RangeError(`There is no variation ${number}.`)
  return found
}

export const drawAtRandom: Draw = (minimum, maximum) => Math.round(minimum * (maximum / minimum) ** Math.random())
