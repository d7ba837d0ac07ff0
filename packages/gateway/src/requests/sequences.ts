import type { Address } from 'viem'
import type { Database } from '../database/database.ts'

/** Hands out a requester's ticket sequences, each once, also across restarts. */
export type Sequences = {
  take: () => Promise<bigint>
  /** For a sequence that nobody was told: it is handed out again. */
  giveBack: (sequence: bigint) => void
  /** Returns what is left of the lease, so that an orderly restart leaves no gap. */
  close: () => Promise<void>
}

const leaseSize = 64

/** Leases sequences from the database in blocks: one statement per block, none on the path of a request. */
export function createSequences(deps: { database: Database; requester: Address }): Sequences {
  const spare: bigint[] = []
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
      spare.push(sequence)
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
