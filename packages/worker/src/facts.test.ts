import { laneNumber } from '@peerhost/protocol'
import { describe, expect, it } from 'vitest'
import { offerOf, runtimeDigest, smallFee } from '../test/fixture/tickets.ts'
import type { Coordinator, Deployment } from './chain/coordinator.ts'
import { createFacts } from './facts.ts'

const deployment: Deployment = {
  bundleDigest: runtimeDigest,
  runtimeDigest,
  limitsClass: 1,
  flags: 0,
  quorum: 1,
  lane: 1,
  fee: smallFee,
}

function createFakeChain() {
  const state = { nowMs: 0, available: 1_000n, deployment: deployment as Deployment | undefined, asked: [] as string[] }
  const coordinator = {
    readDeployment: async () => {
      state.asked.push('deployment')
      return state.deployment
    },
    readCredit: async () => {
      state.asked.push('credit')
      return { available: state.available, maxFee: 100n }
    },
    readPostedStatus: async () => {
      state.asked.push('posted')
      return 'open' as const
    },
  }
  return { state, facts: createFacts({ coordinator: coordinator as unknown as Coordinator, now: () => state.nowMs }) }
}

describe('chain facts', () => {
  it('asks for a deployment once, and again for one that was not there', async () => {
    const { state, facts } = createFakeChain()
    state.deployment = undefined
    expect((await facts.chainFacts(await offerOf())).deployment).toBeUndefined()
    state.deployment = deployment
    for (let at = 0; at < 3; at += 1) expect((await facts.chainFacts(await offerOf())).deployment).toEqual(deployment)
    expect(state.asked.filter((what) => what === 'deployment').length).toBe(2)
  })

  it('takes what it ran and nobody has settled yet off the credit, but not the request itself', async () => {
    const { facts } = createFakeChain()
    const [one, two] = [await offerOf({ sequence: 1n }), await offerOf({ sequence: 2n })]
    facts.reserve(one.requestId, one.ticket)
    facts.reserve(one.requestId, one.ticket)
    expect((await facts.chainFacts(one)).outstanding).toBe(0n)
    expect((await facts.chainFacts(two)).outstanding).toBe(smallFee)
    facts.release(one.requestId)
    facts.release(one.requestId)
    expect((await facts.chainFacts(two)).outstanding).toBe(0n)
  })

  it('reads credit again when it is old, and at once when it is both old and little', async () => {
    const { state, facts } = createFakeChain()
    const offer = await offerOf({ fee: 10n })
    const available = async () => (await facts.chainFacts(offer)).credit?.available
    expect(await available()).toBe(1_000n)
    state.available = 400n
    state.nowMs = 1_999
    expect(await available()).toBe(1_000n)
    // Old, but many times the fee: this one does not wait, the next one sees the new value.
    state.nowMs = 2_000
    expect(await available()).toBe(1_000n)
    state.nowMs = 2_001
    expect(await available()).toBe(400n)
    // Old and less than fifty fees.
    state.available = 0n
    state.nowMs = 4_001
    expect(await available()).toBe(0n)
  })

  it('forgets what it knew of a credit when a fee was settled from it', async () => {
    const { state, facts } = createFakeChain()
    const offer = await offerOf()
    facts.reserve(offer.requestId, offer.ticket)
    await facts.chainFacts(offer)
    state.available = 900n
    facts.release(offer.requestId)
    expect((await facts.chainFacts(offer)).credit?.available).toBe(900n)
  })

  it('asks whether a confirmed request is open, and nothing about credit', async () => {
    const { state, facts } = createFakeChain()
    const offer = await offerOf({ lane: laneNumber('confirmed') })
    expect(await facts.chainFacts(offer)).toMatchObject({ posted: true, credit: undefined })
    expect(state.asked).toEqual(['deployment', 'posted'])
  })
})
