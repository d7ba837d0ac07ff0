import { attestationSchema, ticketSchema } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { Conflict } from '../chain/courtChain.ts'
import type { Querier } from '../database/database.ts'

/** A contradiction inside a quorum on its way to the court. */
export type PendingConflict = { requestId: Hex; conflict: Conflict; attempts: number }

/** Keeps the first contradiction of a request; more of them change nothing. */
export async function insertConflict(
  querier: Querier,
  one: { requestId: Hex; conflict: Conflict; nowMs: number },
): Promise<void> {
  await querier.query(
    `insert into conflicts (request_id, requester, evidence, state, attempts, next_ms, seen_at_ms)
     values ($1, $2, $3, 'pending', 0, 0, $4) on conflict do nothing`,
    [one.requestId, one.conflict.ticket.requester, toJson(one.conflict), one.nowMs],
  )
}

export async function listPendingConflicts(
  querier: Querier,
  options: { requester: Address; nowMs: number },
): Promise<PendingConflict[]> {
  const rows = await querier.query(
    `select * from conflicts where requester = $1 and state = 'pending' and next_ms <= $2 order by next_ms limit 20`,
    [options.requester, options.nowMs],
  )
  return rows.map((row) => ({
    requestId: row.request_id as Hex,
    conflict: fromJson(String(row.evidence)),
    attempts: Number(row.attempts),
  }))
}

/** The contradiction of a request, whatever became of it. */
export async function findConflict(querier: Querier, requestId: Hex): Promise<Conflict | undefined> {
  const [row] = await querier.query('select evidence from conflicts where request_id = $1', [requestId])
  return row && fromJson(String(row.evidence))
}

export async function setConflict(
  querier: Querier,
  requestId: Hex,
  change: {
    state: 'pending' | 'reported' | 'not-reported'
    nextMs?: number
    transaction?: Hex
    reason?: string
  },
): Promise<void> {
  await querier.query(
    `update conflicts set state = $2, attempts = attempts + 1, next_ms = $3, transaction = $4, reason = $5
     where request_id = $1`,
    [requestId, change.state, change.nextMs ?? 0, change.transaction ?? null, change.reason ?? null],
  )
}

function toJson(conflict: Conflict): string {
  return JSON.stringify(conflict, (_, value) => (typeof value === 'bigint' ? value.toString() : value))
}

function fromJson(text: string): Conflict {
  const { ticket, ticketSignature, first, second, operators } = JSON.parse(text) as Conflict
  return {
    ticket: ticketSchema.parse(ticket),
    ticketSignature,
    first: { ...first, attestation: attestationSchema.parse(first.attestation) },
    second: { ...second, attestation: attestationSchema.parse(second.attestation) },
    operators,
  }
}
