import type { Hex } from 'viem'
import type { Querier } from '../database/database.ts'
import type { ClosedCommitSet } from '../requests/request.ts'

/**
 * Writes a commit set down before it is signed away. False when this request has one already: two different sets for one
 * request cost the requester its bond.
 */
export async function insertCommitSet(querier: Querier, requestId: Hex, set: ClosedCommitSet): Promise<boolean> {
  const rows = await querier.query(
    `insert into commit_sets (request_id, commitments, signature, closed_at_ms) values ($1, $2, $3, $4)
     on conflict do nothing returning request_id`,
    [requestId, JSON.stringify(set.commitments), set.signature, Date.now()],
  )
  return rows.length === 1
}

export async function findCommitSet(querier: Querier, requestId: Hex): Promise<ClosedCommitSet | undefined> {
  const [row] = await querier.query('select * from commit_sets where request_id = $1', [requestId])
  return row && { commitments: JSON.parse(String(row.commitments)) as Hex[], signature: row.signature as Hex }
}

/** Sets of tickets whose time is long over. */
export async function forgetCommitSets(querier: Querier, beforeMs: number): Promise<void> {
  await querier.query('delete from commit_sets where closed_at_ms < $1', [beforeMs])
}
