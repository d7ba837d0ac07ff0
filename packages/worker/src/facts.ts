import { setTimeout as sleep } from 'node:timers/promises'
import { laneNumber, type Ticket } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { ChainFacts, JobOffer } from './acceptJob.ts'
import type { Coordinator, Deployment } from './chain/coordinator.ts'
import type { Lane, PostedFacts } from './chain/lane.ts'
import type { Seats } from './seats.ts'

export type FactsDeps = {
  coordinator: Pick<Coordinator, 'readDeployment' | 'readCredit'>
  lane: Pick<Lane, 'readPosted' | 'readBlockHash'>
  seats: Seats
  /** Whether a session with this requester is open. */
  isConnected: (requester: Address) => boolean
  now: () => number
}

/** What acceptance asks the chain, and what it need not ask again. */
export type Facts = {
  chainFacts: (offer: JobOffer) => Promise<ChainFacts>
  /** A fee that this worker counts on: taken off the credit it sees until `release`. */
  reserve: (requestId: Hex, ticket: Ticket) => void
  release: (requestId: Hex) => void
}

type Credit = { available: bigint; maxFee: bigint }

/** A credit read is taken as it is for so long. */
const freshMs = 2_000
/** And, where it is many times what is asked, for so long while it is read again beside the job. */
const staleMs = 30_000
const plenty = 50n
const mostDeployments = 10_000
const mostCredits = 10_000
const blockWaitMs = 100

export function createFacts({ coordinator, lane, seats, isConnected, now }: FactsDeps): Facts {
  const deployments = new Map<string, Deployment>()
  const credits = createCredits(coordinator, now)
  const reserved = createReservations(credits.forget)

  /** A deployment never changes, so what was read once stays true. */
  async function readDeployment(functionId: Hex, version: number): Promise<Deployment | undefined> {
    const key = `${functionId.toLowerCase()}:${version}`
    const known = deployments.get(key)
    if (known) return known
    const deployment = await coordinator.readDeployment(functionId, version)
    if (deployment) keep(deployments, key, deployment, mostDeployments)
    return deployment
  }

  return {
    reserve: reserved.reserve,
    release: reserved.release,
    chainFacts: async ({ requestId, ticket, source }) => {
      const key = creditKey(ticket.funder, ticket.requester)
      const mustBePosted = source === 'chain' || ticket.lane === laneNumber('confirmed')
      const outstanding = reserved.total(key, requestId)
      const [deployment, credit, posted, seatFacts] = await Promise.all([
        readDeployment(ticket.functionId, ticket.functionVersion),
        mustBePosted ? undefined : credits.read(ticket.funder, ticket.requester, outstanding + ticket.fee * plenty),
        mustBePosted ? lane.readPosted(requestId) : undefined,
        seats.seatFacts(ticket),
      ])
      const isOpen = !posted || posted.status === 'open'
      const randomness = posted && isOpen ? await laneRandomness(lane, posted, ticket, now) : seatFacts.epochSeed
      const requesterConnected = isConnected(ticket.requester)
      return { deployment, credit, posted: isOpen, outstanding, seats: seatFacts, randomness, requesterConnected }
    },
  }
}

/**
 * In the confirmed lane the block after the request seeds the function: nobody knew it when the request was made.
 * `undefined` when it is not mined before the deadline.
 */
async function laneRandomness(
  lane: Pick<Lane, 'readBlockHash'>,
  { postedBlock }: PostedFacts,
  { deadline }: Ticket,
  now: () => number,
): Promise<Hex | undefined> {
  for (;;) {
    const hash = await lane.readBlockHash(postedBlock + 1n)
    if (hash || now() >= deadline * 1_000) return hash
    await sleep(blockWaitMs)
  }
}

function creditKey(funder: Address, requester: Address): string {
  return `${funder}:${requester}`.toLowerCase()
}

function createCredits(coordinator: Pick<Coordinator, 'readCredit'>, now: () => number) {
  const held = new Map<string, { credit: Credit; atMs: number }>()
  const reading = new Map<string, Promise<Credit>>()

  function refresh(key: string, funder: Address, requester: Address): Promise<Credit> {
    const running = reading.get(key)
    if (running) return running
    const atMs = now()
    const read = coordinator
      .readCredit(funder, requester)
      .then((credit) => {
        keep(held, key, { credit, atMs }, mostCredits)
        return credit
      })
      .finally(() => reading.delete(key))
    reading.set(key, read)
    return read
  }

  return {
    forget: (key: string) => void held.delete(key),
    read: async (funder: Address, requester: Address, comfortable: bigint): Promise<Credit> => {
      const key = creditKey(funder, requester)
      const known = held.get(key)
      const ageMs = known ? now() - known.atMs : Number.POSITIVE_INFINITY
      if (known && ageMs < freshMs) return known.credit
      const next = refresh(key, funder, requester)
      if (!known || ageMs >= staleMs || known.credit.available < comfortable) return next
      // Its failure shows when the value is too old to go without.
      next.catch(() => {})
      return known.credit
    },
  }
}

/** Fees under way, by the credit that pays them. */
function createReservations(onReleased: (key: string) => void) {
  const requests = new Map<Hex, { key: string; fee: bigint }>()
  const totals = new Map<string, bigint>()
  return {
    reserve: (requestId: Hex, { funder, requester, fee }: Ticket): void => {
      if (requests.has(requestId)) return
      const key = creditKey(funder, requester)
      requests.set(requestId, { key, fee })
      totals.set(key, (totals.get(key) ?? 0n) + fee)
    },
    release: (requestId: Hex): void => {
      const held = requests.get(requestId)
      if (!held) return
      requests.delete(requestId)
      const left = (totals.get(held.key) ?? 0n) - held.fee
      if (left > 0n) totals.set(held.key, left)
      else totals.delete(held.key)
      onReleased(held.key)
    },
    /** Without the request itself. */
    total: (key: string, requestId: Hex): bigint => (totals.get(key) ?? 0n) - (requests.get(requestId)?.fee ?? 0n),
  }
}

function keep<V>(map: Map<string, V>, key: string, value: V, most: number): void {
  map.delete(key)
  map.set(key, value)
  if (map.size <= most) return
  const [oldest] = map.keys()
  if (oldest !== undefined) map.delete(oldest)
}
