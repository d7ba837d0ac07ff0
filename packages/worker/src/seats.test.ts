import { LIMITS, lot, seatSubject, wins, zeroBytes32 } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import { describe, expect, it } from 'vitest'
import { nowSeconds, offerOf, operator } from '../test/fixture/tickets.ts'
import type { RequesterBond, SkipReason } from './chain/coordinator.ts'
import type { EpochFacts } from './chain/operators.ts'
import { createSeats, epochSeedFor, seatOf } from './seats.ts'

const seed: Hex = `0x${'5e'.repeat(32)}`
const crowd: EpochFacts = { seed, capturedAt: nowSeconds - 1_000, totalStake: 1_000n, operatorCount: 6 }
const ticketOf = async (sequence = 0n) => (await offerOf({ sequence })).ticket

describe('seatOf', () => {
  it('seats everybody where there are no more operators than seats, seed or not', async () => {
    const few = { ...crowd, operatorCount: 5, seed: zeroBytes32 }
    expect(seatOf(await ticketOf(), operator, { epoch: few, stake: 0n, committeeSize: 5 })).toBe('all-seated')
  })

  it('draws by the contract’s own lot', async () => {
    let seats = 0
    for (let sequence = 0n; sequence < 40n; sequence += 1n) {
      const ticket = await ticketOf(sequence)
      const seat = seatOf(ticket, operator, { epoch: crowd, stake: 100n, committeeSize: 5 })
      const won = wins(lot(seed, seatSubject(ticket), operator), { stake: 100n, totalStake: 1_000n, size: 5 })
      expect(seat).toBe(won ? 'drawn' : undefined)
      if (won) seats += 1
    }
    expect(seats).toBeGreaterThan(8)
    expect(seats).toBeLessThan(32)
  })

  it.each<[string, Partial<EpochFacts>]>([
    ['without a seed', { seed: zeroBytes32 }],
    ['for a ticket of the moment of capture', { capturedAt: nowSeconds }],
  ])('draws nobody %s', async (_, change) => {
    const epoch = { ...crowd, ...change }
    // So much stake that every lot would win.
    expect(seatOf(await ticketOf(), operator, { epoch, stake: 10_000n, committeeSize: 5 })).toBeUndefined()
    const later = { ...(await ticketOf()), issuedAt: nowSeconds + 1 }
    if (change.capturedAt !== undefined)
      expect(seatOf(later, operator, { epoch, stake: 10_000n, committeeSize: 5 })).toBe('drawn')
  })
})

describe('epochSeedFor', () => {
  it('takes a seed only for tickets issued so long after its capture that every node has seen it', () => {
    const at = nowSeconds
    expect(epochSeedFor({ seed, capturedAt: at - LIMITS.clockSkewSeconds }, at)).toBe(seed)
    expect(epochSeedFor({ seed, capturedAt: at - LIMITS.clockSkewSeconds + 1 }, at)).toBe(zeroBytes32)
    expect(epochSeedFor({ seed: zeroBytes32, capturedAt: 0 }, at)).toBe(zeroBytes32)
  })
})

function createFakeChain() {
  const state = {
    nowMs: 0,
    asked: [] as string[],
    epoch: crowd,
    bond: { amount: 100n, countsFrom: 0, withdrawableAt: 0 } as RequesterBond,
    drawReason: 'none' as SkipReason,
    untilSeconds: nowSeconds + 100,
  }
  const ask = <T>(what: string, answer: T): Promise<T> => {
    state.asked.push(what)
    return Promise.resolve(answer)
  }
  const parameters = { committeeSize: 5, requesterBond: 100n, wideningBlocks: 10 }
  const seats = createSeats({
    operator,
    coordinator: {
      readParameters: (fromSeconds) =>
        ask('parameters', { parameters: parameters as never, fromSeconds, untilSeconds: state.untilSeconds }),
      readRequesterBond: () => ask('bond', state.bond),
      readDrawReason: () => ask('draw', state.drawReason),
    },
    operators: {
      readEpoch: () => ask('epoch', state.epoch),
      readStake: (_: Address) => ask('stake', 10_000n),
    },
    protocolTimes: { unbondingPeriod: 1_000 },
    now: () => state.nowMs,
  })
  return { state, seats }
}

describe('seat facts', () => {
  it('asks once for what does not change', async () => {
    const { state, seats } = createFakeChain()
    for (let sequence = 0n; sequence < 3n; sequence += 1n)
      expect((await seats.seatFacts(await ticketOf(sequence))).seat).toBe('drawn')
    expect(state.asked.sort()).toEqual(['draw', 'epoch', 'parameters', 'stake'])
  })

  it('asks again for an epoch without a seed, and for parameters whose time is over', async () => {
    const { state, seats } = createFakeChain()
    state.epoch = { ...crowd, seed: zeroBytes32 }
    expect((await seats.seatFacts(await ticketOf())).seat).toBeUndefined()
    state.epoch = crowd
    state.nowMs += 1_000
    expect((await seats.seatFacts(await ticketOf())).seat).toBe('drawn')
    await seats.seatFacts({ ...(await ticketOf()), issuedAt: state.untilSeconds })
    expect(state.asked.filter((what) => what === 'parameters').length).toBe(2)
  })

  it('says why a drawn seat does not count, and asks again until it does', async () => {
    const { state, seats } = createFakeChain()
    state.drawReason = 'sequence-ahead'
    expect((await seats.seatFacts(await ticketOf())).drawReason).toBe('sequence-ahead')
    state.drawReason = 'none'
    expect((await seats.seatFacts(await ticketOf())).drawReason).toBe('none')
    state.drawReason = 'requester-not-bonded'
    expect((await seats.seatFacts(await ticketOf(1n))).drawReason).toBe('none')
    // Another word of sequence numbers is another question.
    expect((await seats.seatFacts(await ticketOf(256n))).drawReason).toBe('requester-not-bonded')
  })

  it.each([
    ['the bond', { amount: 100n }, true],
    ['less than the bond', { amount: 99n }, false],
    ['a bond that is leaving', { amount: 100n, withdrawableAt: nowSeconds + 1_000 }, false],
    ['one that began to leave after the ticket', { amount: 100n, withdrawableAt: nowSeconds + 1_001 }, true],
  ])('counts %s for a quorum', async (_, bond, counts) => {
    const { state, seats } = createFakeChain()
    state.bond = { ...state.bond, ...bond }
    const { ticket } = await offerOf({ quorum: 3 })
    expect((await seats.seatFacts(ticket)).bondedForQuorum).toBe(counts)
    expect((await seats.seatFacts(await ticketOf())).bondedForQuorum).toBe(true)
  })
})
