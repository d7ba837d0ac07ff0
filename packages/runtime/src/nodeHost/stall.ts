import { standStill } from '../standStill.ts'
import type { Variation } from '../variations.ts'

/** Milliseconds that one execution stands still at most. */
const mostMs = 1_000
const { random } = Math

/**
 * Stands still as a busy machine would: every other time, for up to `stallMs`, and in all for about one second at most. Undefined
 * for conditions without it. Taken from the real chance before a function's is put in its place. `wait` blocks for milliseconds.
 */
export function createStall({ stallMs }: Variation, wait = standStill): (() => void) | undefined {
  if (stallMs === undefined) return undefined
  let leftMs = mostMs
  return () => {
    if (random() < 0.5 || leftMs <= 0) return
    const ms = random() * stallMs
    leftMs -= ms
    wait(ms)
  }
}
