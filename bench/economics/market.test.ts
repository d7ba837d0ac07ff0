import { DEFAULT_PARAMETERS } from '@peerhost/protocol'
import { expect, test } from 'vitest'
import { auditorChance, convictionChance, expectedLoss, rareValueCase, shareThatPays, slashOf } from './incentives.ts'
import { type MarketOptions, runMarket } from './market.ts'
import { createRandom } from './random.ts'

const parameters = DEFAULT_PARAMETERS
const setting = { operators: 30, attendance: 0.95 }
const market = (over: Partial<MarketOptions>) =>
  runMarket({
    ...setting,
    strategy: 'honest',
    share: 0.2,
    requests: 4_000,
    fee: 0.002,
    cost: 0.001,
    cacheHit: 0.5,
    parameters,
    random: createRandom(1),
    ...over,
  })

test('the honest are paid and never convicted', () => {
  const { strategy, honest, lies, convicted } = market({})
  expect(strategy).toBeGreaterThan(0)
  expect(honest).toBeGreaterThan(0)
  expect([lies, convicted]).toEqual([0, 0])
})

test('the lazy lose more than they ever earned, the copying earn nothing but audits', () => {
  const lazy = market({ strategy: 'lazy' })
  expect(lazy.convicted).toBeGreaterThan(0)
  expect(lazy.strategy).toBeLessThan(0)
  expect(market({ strategy: 'copying' }).strategy).toBeLessThan(market({}).strategy)
})

test('the same seed gives the same market', () => {
  expect(market({ strategy: 'colluding' })).toEqual(market({ strategy: 'colluding' }))
})

test('lies are convicted as often as the exact chances say', () => {
  const alone = { strategy: 'colluding', share: 1 / 30, requests: 1 } as const
  const always = { ...parameters, auditRateBps: 10_000, committeeSize: 1 }
  const rounds = 30_000
  let lies = 0
  let convicted = 0
  const random = createRandom(3)
  for (let round = 0; round < rounds; round += 1) {
    const result = market({ ...alone, parameters: always, cacheHit: 0, random })
    lies += result.lies
    convicted += result.convicted
  }
  const exact = auditorChance(setting, 1 / 30) * convictionChance(parameters, setting, 1 / 30)
  const error = 4 * Math.sqrt((exact * (1 - exact)) / lies)
  expect(Math.abs(convicted / lies - exact)).toBeLessThan(error)
})

test('the defaults keep the rule of the design: what a lie risks is over three of the largest fees', () => {
  expect(expectedLoss(parameters, { operators: 1_000, attendance: 0.95 }, 0.001)).toBeGreaterThan(3 * 0.002)
  expect(slashOf(parameters)).toBe(50)
})

test('a coalition finds the share from which it pays, and it falls with the gain', () => {
  const share = shareThatPays(parameters, setting, 0.002)
  expect(expectedLoss(parameters, setting, (share - 1) / 100)).toBeGreaterThanOrEqual(0.002)
  expect(expectedLoss(parameters, setting, share / 100)).toBeLessThan(0.002)
  expect(shareThatPays(parameters, setting, 0.02)).toBeLessThanOrEqual(share)
  expect(shareThatPays(parameters, setting, 0)).toBe(101)
})

test('a challenger that accuses of a rare value loses, even where no juror can see it', () => {
  const seen = rareValueCase(parameters, setting, { hostileShare: 1 / 3, differs: 0.9 })
  const unseen = rareValueCase(parameters, setting, { hostileShare: 1 / 3, differs: 0.001 })
  expect(seen.slashed).toBeLessThan(1e-4)
  expect(seen.profit).toBeLessThan(0)
  expect(unseen.slashed).toBeGreaterThan(0.1)
  // Rare as one run in 14,000 is, somebody has to find it first, at 0.0001 a run.
  expect(unseen.profit - 0.0001 * 14_000).toBeLessThan(0)
})
