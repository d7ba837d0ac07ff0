import type { Address } from 'viem'
import type { Database } from '../database/database.ts'

/** Hands out a requester's ticket sequences, each once, also across restarts. */
export type Sequences = {
  take: () => Promise<bigint>
  /** For a sequence that nobody was told: it is handed out again. */
  giveBack: (sequence: bigint) => void
  /** A ticket with this number was made; until its deadline it may be used. */
  issued: (sequence: bigint, deadline: number) => void
  /** Where the next numbers come from; `undefined` before the first was taken. */
  position: () => bigint | undefined
  /** Whether a number that is not settled will never be: no ticket with it can still get a result. */
  isOver: (sequence: bigint, nowSeconds: number) => boolean
  /** Returns what is left of the lease, so that an orderly restart leaves no gap. */
  close: () => Promise<void>
}

const leaseSize = 64
/** Clocks differ, and an answer may be on its way. */
const lateSeconds = 15

/** Leases sequences from the database in blocks: one statement per block, none on the path of a request. */
export function createSequences(deps: {
  database: Database
  requester: Address
  /** Nothing that an earlier process issued can still be answered after it. */
  longestLifetimeSeconds: number
}): Sequences {
  const spare: bigint[] = []
  const deadlines = new Map<bigint, number>()
  const startedSeconds = Math.floor(Date.now() / 1_000)
  let first: bigint | undefined
  let next = 0n
  let end = 0n
  let leasing: Promise<void> | undefined
  const lease = async (): Promise<void> => {
    const rows = await deps.database.query(
      `insert into sequences (requester, next_sequence) values ($1, $2)
       on conflict (requester) do update set next_sequence = sequences.next_sequence + $2
       returning next_sequence`,
      [deps.requester, leaseSize],
    )
    end = BigInt(String(rows[0]?.next_sequence))
    next = end - BigInt(leaseSize)
    first ??= next
  }
  const take = async (): Promise<bigint> => {
    for (;;) {
      const returned = spare.shift()
      if (returned !== undefined) return returned
      if (next < end) return next++
      leasing ??= lease().finally(() => {
        leasing = undefined
      })
      await leasing
    }
  }
  return {
    take,
    giveBack: (sequence) => {
      deadlines.delete(sequence)
      spare.push(sequence)
    },
    issued: (sequence, deadline) => {
      if (deadlines.size > mostRemembered) forget(deadlines)
      deadlines.set(sequence, deadline)
    },
    position: () => (first === undefined ? undefined : next),
    isOver: (sequence, nowSeconds) => {
      if (first === undefined || sequence >= next || spare.includes(sequence)) return false
      const deadline = sequence < first ? startedSeconds + deps.longestLifetimeSeconds : deadlines.get(sequence)
      return deadline === undefined ? sequence + windowSize < next : nowSeconds > deadline + lateSeconds
    },
    close: async () => {
      if (next === end) return
      await deps.database.query('update sequences set next_sequence = $2 where requester = $1 and next_sequence = $3', [
        deps.requester,
        next,
        end,
      ])
      next = end
    },
  }
}

const mostRemembered = 100_000
const windowSize = 100_000n

/** The oldest half: long over, since numbers are handed out in order. */
function forget(deadlines: Map<bigint, number>): void {
  for (const sequence of [...deadlines.keys()].slice(0, mostRemembered / 2)) deadlines.delete(sequence)
}
