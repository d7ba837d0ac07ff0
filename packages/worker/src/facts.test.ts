import { laneNumber, zeroBytes32 } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { describe, expect, it } from 'vitest'
import { offerOf, runtimeDigest, smallFee } from '../test/fixture/tickets.ts'
import type { Deployment } from './chain/coordinator.ts'
import { createFacts } from './facts.ts'
import type { SeatFacts } from './seats.ts'

const deployment: Deployment = {
  bundleDigest: runtimeDigest,
  runtimeDigest,
  limitsClass: 1,
  flags: 0,
  quorum: 1,
  lane: 1,
  fee: smallFee,
}

const seatFacts: SeatFacts = {
  seat: 'all-seated',
  drawReason: 'none',
  bondedForQuorum: true,
  epochSeed: `0x${'e5'.repeat(32)}`,
  wideningBlocks: 10,
}
const blockHash: Hex = `0x${'b1'.repeat(32)}`

function createFakeChain() {
  const state = {
    nowMs: 0,
    available: 1_000n,
    deployment: deployment as Deployment | undefined,
    asked: [] as string[],
    head: 8n,
  }
  const coordinator = {
    readDeployment: async () => {
      state.asked.push('deployment')
      return state.deployment
    },
    readCredit: async () => {
      state.asked.push('credit')
      return { available: state.available, maxFee: 100n }
    },
  }
  const lane = {
    readPosted: async () => {
      state.asked.push('posted')
      return { status: 'open' as const, postedBlock: 7n, openings: 0, hasCallback: false }
    },
    readBlockHash: async (block: bigint) => (block <= state.head ? blockHash : undefined),
  }
  const seats = { seatFacts: async () => seatFacts }
  return { state, facts: createFacts({ coordinator, lane, seats, isConnected: () => true, now: () => state.nowMs }) }
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

  it('seeds a function with its epoch in the attested lane, with the block after its request in the confirmed one', async () => {
    const { state, facts } = createFakeChain()
    expect((await facts.chainFacts(await offerOf())).randomness).toBe(seatFacts.epochSeed)
    const confirmed = await offerOf({ lane: laneNumber('confirmed') })
    expect((await facts.chainFacts(confirmed)).randomness).toBe(blockHash)
    state.head = 7n
    const waiting = facts.chainFacts(confirmed)
    state.head = 8n
    expect((await waiting).randomness).toBe(blockHash)
    state.head = 7n
    state.nowMs = confirmed.ticket.deadline * 1_000
    expect((await facts.chainFacts(confirmed)).randomness).toBeUndefined()
    expect(seatFacts.epochSeed).not.toBe(zeroBytes32)
  })
})
