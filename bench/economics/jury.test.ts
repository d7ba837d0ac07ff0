import { DEFAULT_PARAMETERS } from '@peerhost/protocol'
import { describe, expect, test } from 'vitest'
import { binomial, interval, sampler } from './binomial.ts'
import { type Behaviour, benchOf, caseChances, createCourt, juryChances, type Verdict, verdictOf } from './jury.ts'
import { createRandom } from './random.ts'

const { jurySize, minimumVotes } = DEFAULT_PARAMETERS
const nobody = { votes: 0, agree: 0, leading: 0, differs: 0, unavailable: 0 }

describe('one jury', () => {
  test.each<[string, Partial<typeof nobody>, Verdict]>([
    ['too few votes', { votes: 5, leading: 5 }, 'undecided'],
    ['five sixths against', { votes: 6, leading: 5, agree: 1 }, 'convicted'],
    ['less than five sixths against', { votes: 7, leading: 5, agree: 2 }, 'hung'],
    ['one difference among many votes against', { votes: 12, leading: 11, differs: 1 }, 'flagged'],
    ['half without an input', { votes: 6, unavailable: 3, leading: 3 }, 'unavailable'],
    ['more than half with the accused', { votes: 7, agree: 4, leading: 3 }, 'acquitted'],
    ['half with the accused', { votes: 8, agree: 4, leading: 4 }, 'hung'],
  ])('%s', (_, tally, verdict) => {
    expect(verdictOf({ ...nobody, ...tally }, 6)).toBe(verdict)
  })
})

describe('exact chances', () => {
  const behaviours: Behaviour[] = [
    { differs: 0.1, against: 0.9, unavailable: 0, hostile: 'against' },
    { differs: 0, against: 0, unavailable: 0.2, hostile: 'against' },
    { differs: 0, against: 1, unavailable: 0, hostile: 'differs' },
    { differs: 0.05, against: 0.6, unavailable: 0.15, hostile: 'agree' },
  ]
  test.each(
    [10, 30, 100, 1_000].flatMap((operators) => behaviours.map((behaviour) => [operators, behaviour] as const)),
  )('of %i operators agree with what happens by chance: %o', (operators, behaviour) => {
    const bench = benchOf({ operators, hostileShare: 1 / 3, isAccusedHostile: false, attendance: 0.9 }, jurySize)
    const exact = caseChances(juryChances(bench, behaviour, minimumVotes))
    expect(Object.values(exact).reduce((sum, chance) => sum + chance)).toBeCloseTo(1, 9)
    const court = createCourt(bench, behaviour, minimumVotes)
    const random = createRandom(operators)
    const trials = 20_000
    const seen: Record<string, number> = {}
    for (let trial = 0; trial < trials; trial += 1) {
      const verdict = court(random)
      seen[verdict] = (seen[verdict] ?? 0) + 1
    }
    for (const [verdict, chance] of Object.entries(exact)) {
      const { low, high } = interval(seen[verdict] ?? 0, trials, 0.9999)
      expect(chance).toBeGreaterThanOrEqual(low)
      expect(chance).toBeLessThanOrEqual(high)
    }
  })

  test('a jury without anybody decides nothing', () => {
    const bench = { honest: 0, hostile: 0, honestChance: 1, hostileChance: 1 }
    expect(juryChances(bench, { differs: 0, against: 1, unavailable: 0, hostile: 'against' }, 6).undecided).toBe(1)
  })

  test('the accused sits in no jury', () => {
    const network = { operators: 9, hostileShare: 1 / 3, attendance: 1 }
    expect(benchOf({ ...network, isAccusedHostile: false }, 8)).toMatchObject({ honest: 5, hostile: 3 })
    expect(benchOf({ ...network, isAccusedHostile: true }, 8)).toMatchObject({ honest: 6, hostile: 2 })
  })
})

describe('figures', () => {
  test('masses add up, at any size', () => {
    for (const [n, chance] of [
      [0, 0.5],
      [7, 0],
      [7, 1],
      [1_000, 0.008],
      [40, 0.4],
    ] as const)
      expect(binomial(n, chance).reduce((sum, mass) => sum + mass)).toBeCloseTo(1, 12)
    expect(binomial(4, 0.5)).toEqual([1, 4, 6, 4, 1].map((ways) => expect.closeTo(ways / 16, 12)))
  })

  test('an interval is that of Clopper and Pearson', () => {
    expect(interval(0, 30, 0.9)).toEqual({ low: 0, high: expect.closeTo(1 - 0.05 ** (1 / 30), 9) })
    expect(interval(30, 30, 0.9)).toEqual({ low: expect.closeTo(0.05 ** (1 / 30), 9), high: 1 })
    expect(interval(5, 10, 0.95)).toEqual({ low: expect.closeTo(0.1871, 4), high: expect.closeTo(0.8129, 4) })
  })

  test('chance is the same for the same seed, and fair', () => {
    const [a, b] = [createRandom(7), createRandom(7)]
    expect([a(), a(), a()]).toEqual([b(), b(), b()])
    const random = createRandom(1)
    const draw = sampler([0.25, 0.75])
    const ones = Array.from({ length: 10_000 }, () => draw(random)).reduce((sum, value) => sum + value, 0)
    expect(Math.abs(ones / 10_000 - 0.75)).toBeLessThan(0.02)
  })
})
