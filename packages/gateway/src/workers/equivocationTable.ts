import type { Address, Hex } from 'viem'
import type { Querier } from '../database/database.ts'

/** Two signed attestations of one key for one request that say different things. */
export type Equivocation = { executionKey: Address; requestId: Hex; evidence: unknown; seenAtMs: number }

export async function saveEquivocation(querier: Querier, one: Equivocation): Promise<void> {
  await querier.query(
    `insert into equivocations (execution_key, request_id, evidence, seen_at_ms) values ($1, $2, $3, $4)
     on conflict do nothing`,
    [one.executionKey, one.requestId, JSON.stringify(one.evidence), one.seenAtMs],
  )
}

/** Every key that was caught. */
export async function loadEquivocators(querier: Querier): Promise<Address[]> {
  const rows = await querier.query('select distinct execution_key from equivocations')
  return rows.map((row) => row.execution_key as Address)
}
