import { LIMITS } from '@peerhost/protocol'
import { type Address, zeroAddress } from 'viem'
import { expect, test } from 'vitest'
import {
  acceptedTerms,
  currentTerms,
  type FunctionRecord,
  functionCard,
  isJudgeable,
  servableLimits,
  type TermsEvent,
} from './functionRecord.ts'

const owner: Address = '0x00000000000000000000000000000000000000A1'
const payee: Address = '0x00000000000000000000000000000000000000b2'

function record(events: Partial<TermsEvent>[], change: Partial<FunctionRecord['deployment']> = {}): FunctionRecord {
  const termsEvents = events.map((event, index) => ({
    blockNumber: BigInt(index),
    logIndex: 0,
    sinceSeconds: 0,
    price: 0n,
    payee: zeroAddress,
    paymentMode: 1,
    ...event,
  }))
  const last = termsEvents.at(-1)
  return {
    functionId: '0x01',
    creator: owner,
    project: 'p',
    name: 'f',
    state: {
      owner,
      currentVersion: 1,
      latestVersion: 1,
      paymentMode: last?.paymentMode ?? 1,
      payee: last?.payee ?? zeroAddress,
      price: last?.price ?? 0n,
    },
    deployment: {
      bundleDigest: `0x${'02'.repeat(32)}`,
      metadataDigest: `0x${'03'.repeat(32)}`,
      runtimeDigest: '0x04',
      limitsClass: 1,
      flags: 1,
      quorum: 1,
      lane: 1,
      fee: 1n,
      ...change,
    },
    termsEvents,
    metadata: undefined,
  }
}

const prices = (one: FunctionRecord, nowSeconds: number) =>
  acceptedTerms(one, nowSeconds, LIMITS.quoteGraceSeconds).map(({ price }) => price)

test('a zero payee is the owner', () => {
  expect(currentTerms(record([{ price: 5n }])).payTo).toBe(owner)
  expect(currentTerms(record([{ price: 5n, payee }])).payTo).toBe(payee)
})

test('a replaced price is accepted to the last second of the grace window, and not after', () => {
  const one = record([{ price: 1n }, { price: 2n, sinceSeconds: 1_000 }])
  expect(prices(one, 1_000)).toEqual([2n, 1n])
  expect(prices(one, 1_059)).toEqual([2n, 1n])
  expect(prices(one, 1_060)).toEqual([2n])
})

test('every price that was current within the window is accepted, older ones are not', () => {
  const one = record([
    { price: 1n },
    { price: 2n, sinceSeconds: 900 },
    { price: 3n, sinceSeconds: 990 },
    { price: 4n, sinceSeconds: 1_000 },
  ])
  expect(prices(one, 1_010)).toEqual([4n, 2n, 3n])
})

test('a price read from the chain before its event still leaves the last one accepted', () => {
  const one = record([{ price: 1n }])
  expect(prices({ ...one, state: { ...one.state, price: 9n } }, 1_000)).toEqual([9n, 1n])
})

test('what cannot be served is said with a code, whatever is wrong', () => {
  expect(servableLimits(record([]))).toMatchObject({ name: 'small' })
  for (const change of [{ limitsClass: 9 }, { quorum: 0 }, { quorum: 8 }])
    expect(() => servableLimits(record([], change))).toThrow(expect.objectContaining({ code: 'runtime_unavailable' }))
  expect(() => servableLimits(record([{ price: 1n, paymentMode: 4 }]))).toThrow(/payment mode 4/)
  for (const paymentMode of [1, 2, 3])
    expect(servableLimits(record([{ price: 1n, paymentMode }], { quorum: 7 }))).toMatchObject({ name: 'small' })
})

test.each([
  [0, false, 'verified'],
  [1, true, 'verified'],
  [1 | 2, false, 'operator-signed'],
  [1 | 4, false, 'operator-signed'],
  [1 | 256, true, 'verified'],
])('flags %d: judgeable %s, %s', (flags, judgeable, assurance) => {
  const one = record([], { flags })
  expect(isJudgeable(one)).toBe(judgeable)
  expect(functionCard(one, { url: 'http://f', asset: owner, judged: judgeable })).toMatchObject({
    assurance,
    judged: judgeable,
    quorum: 1,
  })
})
