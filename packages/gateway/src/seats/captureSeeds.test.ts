import { DEFAULT_PARAMETERS, zeroBytes32 } from '@peerhost/protocol'
import { pino } from 'pino'
import { zeroHash } from 'viem'
import { beforeEach, expect, test } from 'vitest'
import type { Sent } from '../chain/chain.ts'
import { createSeedCapture } from './captureSeeds.ts'

let seeds: Map<number, 'scheduled' | 'captured'>
let now: number
let operatorCount: number
let calls: number[]

beforeEach(() => {
  seeds = new Map()
  now = 3_600 * 10
  operatorCount = 20
  calls = []
})

const capture = () =>
  createSeedCapture({
    chain: {
      epoch: async (epoch) => ({
        seed: seeds.get(epoch) === 'captured' ? `0x${'1'.repeat(64)}` : zeroBytes32,
        capturedAt: 1,
        totalStake: 1n,
        operatorCount,
      }),
      parametersAt: async () => DEFAULT_PARAMETERS,
      captureSeed: async (epoch): Promise<Sent> => {
        calls.push(epoch)
        seeds.set(epoch, seeds.has(epoch) ? 'captured' : 'scheduled')
        return { type: 'mined', transaction: zeroHash, blockNumber: 1n }
      },
    },
    log: pino({ level: 'silent' }),
    epochSeconds: 3_600,
    nowSeconds: () => now,
  })

test('this epoch and the next: scheduled, captured, and then left alone', async () => {
  const seedCapture = capture()
  await seedCapture.run()
  for (let second = 0; second < 60; second += 2) {
    now += 2
    await seedCapture.run()
  }
  expect(calls.sort()).toEqual([10, 10, 11, 11])
})

test('where somebody else captured it, nothing is sent', async () => {
  seeds.set(10, 'captured').set(11, 'captured')
  const seedCapture = capture()
  now += 100
  await seedCapture.run()
  expect(calls).toEqual([])
})

test('nobody hurries while everyone is seated; who waits for a seed gets it at once', async () => {
  operatorCount = 3
  let isEarly = 0
  for (let gateway = 0; gateway < 20; gateway++) {
    calls = []
    await capture().run()
    if (calls.length > 0) isEarly++
  }
  expect(isEarly).toBeLessThan(5)
  const seedCapture = capture()
  calls = []
  seedCapture.want(10)
  await seedCapture.run()
  expect(calls).toContain(10)
})
