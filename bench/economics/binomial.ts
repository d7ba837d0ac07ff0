import type { Random } from './random.ts'

/** P(k of n) for k = 0 … n, cut off where the rest is below 1e-18. */
export function binomial(n: number, chance: number): number[] {
  if (chance <= 0 || n === 0) return [1]
  if (chance >= 1) return [...Array.from({ length: n }, () => 0), 1]
  const masses: number[] = []
  let logMass = n * Math.log1p(-chance)
  for (let k = 0; k <= n; k += 1) {
    masses.push(Math.exp(logMass))
    if (k > n * chance && (masses[k] ?? 0) < 1e-18) break
    logMass += Math.log((n - k) / (k + 1)) + Math.log(chance / (1 - chance))
  }
  return masses
}

/** Draws from a distribution that is given as masses. */
export function sampler(masses: readonly number[]): (random: Random) => number {
  let sum = 0
  const below = masses.map((mass) => {
    sum += mass
    return sum
  })
  return (random) => {
    const at = random() * sum
    const found = below.findIndex((edge) => at < edge)
    return found === -1 ? below.length - 1 : found
  }
}

/** Clopper–Pearson: where the true chance lies when `hits` of `trials` were seen, at this confidence (two-sided). */
export function interval(hits: number, trials: number, confidence: number): { low: number; high: number } {
  const tail = (1 - confidence) / 2
  const atMost = (count: number, chance: number) =>
    binomial(trials, chance)
      .slice(0, count + 1)
      .reduce((sum, mass) => sum + mass, 0)
  const low = hits === 0 ? 0 : solve((chance) => 1 - atMost(hits - 1, chance) < tail)
  const high = hits === trials ? 1 : solve((chance) => atMost(hits, chance) > tail)
  return { low, high }
}

/** The edge of a condition that holds from 0 up to it. */
function solve(holds: (chance: number) => boolean): number {
  let low = 0
  let high = 1
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2
    if (holds(middle)) low = middle
    else high = middle
  }
  return (low + high) / 2
}
