import { lot, seatNumber, seatSubject, type Ticket, wins, zeroBytes32 } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { Chain } from '../chain/chain.ts'
import type { Epoch } from '../chain/operatorChain.ts'

type Draw = Pick<Ticket, 'requester' | 'sequence' | 'epoch' | 'issuedAt'>

/** How the seats of tickets that are issued now come about. `unseeded`: drawn, but nobody captured the seed yet. */
export type SeatMode = 'all-seated' | 'drawn' | 'unseeded'

/** Who may run a request: what the contract will say when it is settled, known before the job is given away. */
export type Seating = {
  modeOf: (ticket: Pick<Ticket, 'epoch' | 'issuedAt'>) => Promise<SeatMode>
  /** The seat's number in the attestation, `undefined` for an operator without a seat. */
  seatOf: (operator: Address, ticket: Draw) => Promise<number | undefined>
  /** Whether a ticket has stood on chain for so long that what is sent now finds every operator with a seat. */
  isWidened: (requestId: Hex, ticket: Pick<Ticket, 'issuedAt'>) => Promise<boolean>
}

const parametersTtlMs = 30_000
/** An epoch that has no seed may get one at any time. */
const unseededTtlMs = 500
const mostRemembered = 10_000

export function createSeating(deps: {
  chain: Pick<Chain, 'epoch' | 'stakeAt' | 'parametersAt' | 'postedBlock' | 'head'>
}): Seating {
  const epochs = createMemory<number, Epoch>(({ seed }) => (seed === zeroBytes32 ? unseededTtlMs : undefined))
  const stakes = createMemory<string, bigint>(() => undefined)
  const sizes = createMemory<string, number>(() => parametersTtlMs)
  // A change of parameters is announced long before it takes effect, so a short memory never misses one.
  const sizeAt = async (issuedAt: number) =>
    sizes.get('committee', async () => (await deps.chain.parametersAt(issuedAt)).committeeSize)
  const epochOf = (epoch: number) => epochs.get(epoch, () => deps.chain.epoch(epoch))
  const facts = async ({ epoch, issuedAt }: Pick<Ticket, 'epoch' | 'issuedAt'>) => {
    const [size, known] = await Promise.all([sizeAt(issuedAt), epochOf(epoch)])
    const isSeeded = known.seed !== zeroBytes32 && issuedAt > known.capturedAt
    const mode: SeatMode = known.operatorCount <= size ? 'all-seated' : isSeeded ? 'drawn' : 'unseeded'
    return { ...known, size, mode }
  }
  return {
    modeOf: async (ticket) => (await facts(ticket)).mode,
    seatOf: async (operator, ticket) => {
      const { mode, seed, totalStake, size } = await facts(ticket)
      if (mode === 'all-seated') return seatNumber('all-seated')
      if (mode === 'unseeded') return undefined
      const stake = await stakes.get(`${operator}:${ticket.epoch}`, () => deps.chain.stakeAt(operator, ticket.epoch))
      const isDrawn = wins(lot(seed, seatSubject(ticket), operator), { stake, totalStake, size })
      return isDrawn ? seatNumber('drawn') : undefined
    },
    isWidened: async (requestId, { issuedAt }) => {
      const postedBlock = await deps.chain.postedBlock(requestId)
      if (postedBlock === undefined) return false
      const [{ wideningBlocks }, { number }] = await Promise.all([deps.chain.parametersAt(issuedAt), deps.chain.head()])
      return number + 1n >= postedBlock + BigInt(wideningBlocks)
    },
  }
}

/** Values of the chain that stay, or stay for a while. A failure is not remembered. */
function createMemory<K, V>(ttlOf: (value: V) => number | undefined) {
  const known = new Map<K, { value: Promise<V>; untilMs: number }>()
  return {
    get: (key: K, read: () => Promise<V>): Promise<V> => {
      const before = known.get(key)
      if (before && before.untilMs > Date.now()) return before.value
      if (known.size >= mostRemembered) known.clear()
      const entry = { value: read(), untilMs: Number.POSITIVE_INFINITY }
      known.set(key, entry)
      entry.value.then(
        (value) => {
          const ttlMs = ttlOf(value)
          if (ttlMs !== undefined) entry.untilMs = Date.now() + ttlMs
        },
        () => known.delete(key),
      )
      return entry.value
    },
  }
}
