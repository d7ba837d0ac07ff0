import {
  LIMITS,
  lot,
  type ProtocolTimes,
  type Seat,
  seatSubject,
  type Ticket,
  wins,
  zeroBytes32,
} from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { Coordinator, ParametersPeriod, RequesterBond, SkipReason } from './chain/coordinator.ts'
import type { EpochFacts, Operators } from './chain/operators.ts'

/** Whether this worker may run a ticket, and what seeds the function's randomness in the attested lane. */
export type SeatFacts = {
  /** `undefined`: another operator was drawn. */
  seat: Seat | undefined
  /** Why a drawn seat does not count for this ticket; `none` when it does, or when no seat is drawn. */
  drawReason: SkipReason
  /** Whether the requester's bond covers a quorum; true when none is asked for. */
  bondedForQuorum: boolean
  /** Seed of the epoch, or zero: see `epochSeedFor`. */
  epochSeed: Hex
  /** Blocks after a post from which seats are open to all. */
  wideningBlocks: number
}

export type SeatsDeps = {
  operator: Address
  coordinator: Pick<Coordinator, 'readParameters' | 'readRequesterBond' | 'readDrawReason'>
  operators: Pick<Operators, 'readEpoch' | 'readStake'>
  protocolTimes: Pick<ProtocolTimes, 'unbondingPeriod'>
  now: () => number
}

export type Seats = { seatFacts: (ticket: Ticket) => Promise<SeatFacts> }

/**
 * How long what may still change is taken as it was read. Far below `LIMITS.clockSkewSeconds`, on which `epochSeedFor`
 * relies.
 */
const freshMs = 10_000
const freshSeedMs = 1_000
/** Numbers of one word are good or bad together: see `drawReason` of the coordinator. */
const wordBits = 256n
const mostKept = 10_000

/**
 * The seed that a ticket of this epoch is run with. Every worker, and later every auditor and juror, must take the same
 * one, so a seed counts only for tickets issued long enough after it was captured that every node has seen it.
 */
export function epochSeedFor({ seed, capturedAt }: Pick<EpochFacts, 'seed' | 'capturedAt'>, issuedAt: number): Hex {
  return seed !== zeroBytes32 && capturedAt + LIMITS.clockSkewSeconds <= issuedAt ? seed : zeroBytes32
}

/** The seat of an operator, by the contract's own rule. Pure. */
export function seatOf(
  ticket: Pick<Ticket, 'requester' | 'sequence' | 'issuedAt'>,
  operator: Address,
  { epoch, stake, committeeSize }: { epoch: EpochFacts; stake: bigint; committeeSize: number },
): Seat | undefined {
  if (epoch.operatorCount <= committeeSize) return 'all-seated'
  if (epoch.seed === zeroBytes32 || ticket.issuedAt <= epoch.capturedAt) return undefined
  const drawn = lot(epoch.seed, seatSubject(ticket), operator)
  return wins(drawn, { stake, totalStake: epoch.totalStake, size: committeeSize }) ? 'drawn' : undefined
}

/** Reads what seats depend on, and keeps what does not change. */
export function createSeats(deps: SeatsDeps): Seats {
  const { operator, coordinator, operators, now } = deps
  const epochs = createKept(now, operators.readEpoch, (facts, ageMs, wantsSeed) =>
    facts.seed !== zeroBytes32 ? true : ageMs < (wantsSeed ? freshSeedMs : freshMs),
  )
  const stakes = createKept(
    now,
    (epoch: number) => operators.readStake(operator, epoch),
    () => true,
  )
  const bonds = createKept(now, coordinator.readRequesterBond, (_, ageMs) => ageMs < freshMs)
  const drawReasons = createKept(
    now,
    (ticket: Ticket) => coordinator.readDrawReason(ticket),
    (reason, ageMs) => reason === 'none' && ageMs < freshMs,
    ({ requester, epoch, sequence }) => `${requester}:${epoch}:${sequence / wordBits}`.toLowerCase(),
  )
  let period: ParametersPeriod | undefined

  async function parametersAt(issuedAt: number) {
    if (!period || issuedAt < period.fromSeconds || issuedAt >= period.untilSeconds)
      period = await coordinator.readParameters(issuedAt)
    return period.parameters
  }

  function isBonded(bond: RequesterBond, issuedAt: number, least: bigint): boolean {
    // A bond on its way out counts for what was issued before it began to leave.
    const leaving = bond.withdrawableAt !== 0 && issuedAt + deps.protocolTimes.unbondingPeriod >= bond.withdrawableAt
    return !leaving && bond.amount >= least
  }

  return {
    seatFacts: async (ticket) => {
      const { committeeSize, requesterBond, wideningBlocks } = await parametersAt(ticket.issuedAt)
      let epoch = await epochs.read(ticket.epoch, false)
      const allSeated = epoch.operatorCount <= committeeSize
      if (!allSeated && epoch.seed === zeroBytes32) epoch = await epochs.read(ticket.epoch, true)
      const stake = allSeated ? 0n : await stakes.read(ticket.epoch, false)
      const seat = seatOf(ticket, operator, { epoch, stake, committeeSize })
      const bond = ticket.quorum > 1 ? await bonds.read(ticket.requester, false) : undefined
      return {
        seat,
        bondedForQuorum: bond === undefined || isBonded(bond, ticket.issuedAt, requesterBond),
        drawReason: seat === 'drawn' ? await drawReasons.read(ticket, false) : 'none',
        epochSeed: epochSeedFor(epoch, ticket.issuedAt),
        wideningBlocks,
      }
    },
  }
}

/** Reads once per key, and again when what is held is not good enough any more. Concurrent reads share one question. */
function createKept<K, V>(
  now: () => number,
  read: (key: K) => Promise<V>,
  isGood: (value: V, ageMs: number, strict: boolean) => boolean,
  nameOf: (key: K) => string = String,
) {
  const held = new Map<string, { value: V; atMs: number }>()
  const reading = new Map<string, Promise<V>>()
  return {
    read: (key: K, strict: boolean): Promise<V> => {
      const name = nameOf(key)
      const known = held.get(name)
      if (known && isGood(known.value, now() - known.atMs, strict)) return Promise.resolve(known.value)
      const running = reading.get(name)
      if (running) return running
      const atMs = now()
      const next = read(key)
        .then((value) => {
          held.delete(name)
          held.set(name, { value, atMs })
          const [oldest] = held.keys()
          if (held.size > mostKept && oldest !== undefined) held.delete(oldest)
          return value
        })
        .finally(() => reading.delete(name))
      reading.set(name, next)
      return next
    },
  }
}
