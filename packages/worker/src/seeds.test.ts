import { PeerHostError, zeroBytes32 } from '@peerhost/protocol'
import { expect, test } from 'vitest'
import { createWorkerEvents } from './events.ts'
import { keepSeeds } from './seeds.ts'

/** Epochs of ten seconds; the clock stands in epoch 5. */
async function round(change: { seeds?: number[]; scheduled?: number[]; head?: bigint; refusal?: string } = {}) {
  const { seeds = [], scheduled = [], head = 100n, refusal } = change
  const asked: number[] = []
  const captured: number[] = []
  const events = createWorkerEvents()
  events.on('seed:captured', ({ epoch }) => captured.push(epoch))
  await keepSeeds({
    deps: {
      operators: {
        readEpoch: async (epoch) => ({
          seed: seeds.includes(epoch) ? `0x${'5e'.repeat(32)}` : zeroBytes32,
          capturedAt: 0,
          totalStake: 0n,
          operatorCount: 0,
        }),
        readSeedBlock: async (epoch) => ({ seedBlock: scheduled.includes(epoch) ? 100n : 0n, head }),
        captureSeed: async (epoch) => {
          asked.push(epoch)
          if (refusal) throw new PeerHostError('transaction_failed', 'refused', { details: [refusal] })
          return '0x01'
        },
      },
      protocolTimes: { epochSeconds: 10 },
      events,
      now: () => 52_000,
      jitterMs: 0,
    },
    stopping: new AbortController(),
  })
  return { asked, captured }
}

test('captures the seed of this epoch and of the next one', async () => {
  expect(await round()).toEqual({ asked: [5, 6], captured: [5, 6] })
  expect((await round({ seeds: [5] })).asked).toEqual([6])
  expect((await round({ seeds: [5, 6] })).asked).toEqual([])
})

test('waits until the seed’s block is mined', async () => {
  expect((await round({ scheduled: [5, 6], head: 100n })).asked).toEqual([])
  expect((await round({ scheduled: [5, 6], head: 101n })).asked).toEqual([5, 6])
})

test('takes it that somebody else was faster, and nothing else', async () => {
  expect(await round({ refusal: 'SeedNotCapturable' })).toEqual({ asked: [5, 6], captured: [] })
  await expect(round({ refusal: 'NotAuthorized' })).rejects.toMatchObject({ code: 'transaction_failed' })
})
