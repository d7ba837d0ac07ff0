import { type Attestation, attestationSchema, type Ticket, ticketSchema } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { Querier, SqlRow, SqlValue } from '../database/database.ts'
import type {
  ClosedCommitSet,
  Draft,
  Job,
  OpenedAttestation,
  Recorded,
  RequestRecord,
  SettlementState,
} from './request.ts'

/** Stores a job that has no result yet. Its ticket is signed afterwards: the same key gives the same signature again. */
export async function insertDraft(querier: Querier, job: Draft): Promise<void> {
  await querier.query(
    `insert into requests (request_id, requester, sequence, function_id, payment_id, status, ticket, ticket_signature, salt,
       input, from_block, settlement, settlement_attempts, settlement_next_ms, created_at_ms)
     values ($1, $2, $3, $4, $5, 'dispatched', $6, $7, $8, $9, $10, 'none', 0, 0, $11)`,
    [...identity(job), job.salt, job.input, job.fromBlock, job.createdAtMs],
  )
}

/** Most rows in one statement: a statement has a bounded number of parameters. */
const mostRows = 200

/** Stores jobs with their results, whether or not they were stored without before. One statement for many. */
export async function saveExecuted(querier: Querier, ...jobs: readonly Recorded[]): Promise<void> {
  for (let start = 0; start < jobs.length; start += mostRows) {
    const rows = jobs.slice(start, start + mostRows).map(executedValues)
    await querier.query(
      `insert into requests (request_id, requester, sequence, function_id, payment_id, ticket, ticket_signature, salt,
         input, from_block, created_at_ms, result, attestation, commit_set, settlement, transaction, block_number,
         log_position, settlement_next_ms, keep_until_ms, status, settlement_attempts)
       values ${tuples(rows, ", 'executed', 0")}
       on conflict (request_id) do update set status = 'executed', result = excluded.result,
         ticket_signature = excluded.ticket_signature,
         attestation = excluded.attestation, commit_set = excluded.commit_set, settlement = excluded.settlement,
         settlement_next_ms = excluded.settlement_next_ms,
         keep_until_ms = greatest(requests.keep_until_ms, excluded.keep_until_ms),
         transaction = excluded.transaction, block_number = excluded.block_number,
         log_position = excluded.log_position`,
      rows.flat(),
    )
  }
}

/** Marks a job that will have no result. */
export async function failJob(querier: Querier, requestId: Hex): Promise<void> {
  await querier.query(`update requests set status = 'failed' where request_id = $1 and status = 'dispatched'`, [
    requestId,
  ])
}

export async function findRequest(querier: Querier, requestId: Hex): Promise<RequestRecord | undefined> {
  const [row] = await querier.query('select * from requests where request_id = $1', [requestId])
  return row && toRecord(row)
}

/** Settlement needs no bytes, and they may be megabytes. */
const withoutBytes = `request_id, ticket, ticket_signature, salt, null as input, null as result, attestation, commit_set,
  payment_id, status, settlement, settlement_attempts, settlement_next_ms, from_block, created_at_ms, transaction, block_number,
  log_position`

/** What is due for settlement, oldest first. */
export async function listDue(
  querier: Querier,
  options: { requester: Address; nowMs: number; limit: number },
): Promise<RequestRecord[]> {
  const rows = await querier.query(
    `select ${withoutBytes} from requests where requester = $1 and settlement = 'pending' and settlement_next_ms <= $2
     order by sequence limit $3`,
    [options.requester, options.nowMs, options.limit],
  )
  return rows.map(toRecord)
}

/** Quorums that agreed on chain and can be paid now. */
export async function listAgreed(
  querier: Querier,
  options: { requester: Address; nowMs: number; limit: number },
): Promise<RequestRecord[]> {
  const rows = await querier.query(
    `select ${withoutBytes} from requests where requester = $1 and settlement = 'agreed' and settlement_next_ms <= $2
     order by sequence limit $3`,
    [options.requester, options.nowMs, options.limit],
  )
  return rows.map(toRecord)
}

/** Looks at an agreed quorum again later. */
export async function postponeAgreed(querier: Querier, requestId: Hex, nextMs: number): Promise<void> {
  await querier.query(
    `update requests set settlement_attempts = settlement_attempts + 1, settlement_next_ms = $2 where request_id = $1`,
    [requestId, nextMs],
  )
}

/** What was being sent when the process ended. */
export async function listSending(querier: Querier, requester: Address): Promise<RequestRecord[]> {
  const rows = await querier.query(
    `select ${withoutBytes} from requests where requester = $1 and settlement = 'sending' order by sequence`,
    [requester],
  )
  return rows.map(toRecord)
}

/** Fees by funder of what is executed and not settled: the part of the credit that is spoken for. */
export async function listOutstanding(
  querier: Querier,
  requester: Address,
): Promise<{ requestId: Hex; ticket: Ticket }[]> {
  const rows = await querier.query(
    `select request_id, ticket from requests where requester = $1 and settlement in ('pending', 'sending')`,
    [requester],
  )
  return rows.map((row) => ({ requestId: row.request_id as Hex, ticket: toTicket(row.ticket) }))
}

/** Milliseconds at which the next pending settlement is due, or `undefined` when none waits. */
export async function nextDueMs(querier: Querier, requester: Address): Promise<number | undefined> {
  const [row] = await querier.query(
    `select min(settlement_next_ms) as due from requests where requester = $1 and settlement = 'pending'`,
    [requester],
  )
  return row?.due === null || row?.due === undefined ? undefined : Number(row.due)
}

export async function setSettlement(
  querier: Querier,
  requestIds: readonly Hex[],
  settlement: SettlementState,
): Promise<void> {
  if (requestIds.length === 0) return
  await querier.query(`update requests set settlement = $1 where request_id in (${places(requestIds, 2)})`, [
    settlement,
    ...requestIds,
  ])
}

/** Puts requests back in the queue, not before `nextMs`. */
export async function postponeSettlement(querier: Querier, requestIds: readonly Hex[], nextMs: number): Promise<void> {
  if (requestIds.length === 0) return
  await querier.query(
    `update requests set settlement = 'pending', settlement_attempts = settlement_attempts + 1, settlement_next_ms = $1
     where request_id in (${places(requestIds, 2)})`,
    [nextMs, ...requestIds],
  )
}

/** Records where requests were settled, whoever settled them. */
export async function setSettled(
  querier: Querier,
  transaction: Hex,
  blockNumber: bigint,
  settled: readonly { requestId: Hex; index: number }[],
): Promise<void> {
  if (settled.length === 0) return
  const rows = settled.map(({ requestId, index }) => [requestId, index])
  await querier.query(
    `update requests set settlement = 'settled', transaction = $1, block_number = $2, log_position = v.position::integer
     from (values ${tuples(rows, '', 3)}) as v (id, position) where request_id = v.id`,
    [transaction, blockNumber, ...rows.flat().map(String)],
  )
}

/** Keeps the bytes of a request for those who may have to judge it, with an answer or without. */
export async function keepTranscript(querier: Querier, job: Job, untilMs: number): Promise<void> {
  await querier.query(
    `insert into requests (request_id, requester, sequence, function_id, payment_id, ticket, ticket_signature, salt, input,
       from_block, created_at_ms, keep_until_ms, status, settlement, settlement_attempts, settlement_next_ms)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'failed', 'none', 0, 0)
     on conflict (request_id) do update set keep_until_ms = excluded.keep_until_ms`,
    [...identity(job), job.salt, job.input, job.fromBlock, job.createdAtMs, untilMs],
  )
}

/** Posted tickets nobody answered, whose fee the chain still holds. */
export async function listUnansweredPosted(
  querier: Querier,
  options: { requester: Address; beforeMs: number; limit: number },
): Promise<RequestRecord[]> {
  const rows = await querier.query(
    `select ${withoutBytes} from requests where requester = $1 and status = 'failed' and settlement = 'none'
       and transaction is not null and created_at_ms < $2 order by sequence limit $3`,
    [options.requester, options.beforeMs, options.limit],
  )
  return rows.map(toRecord)
}

/** Remembers the transaction that posted a ticket of the confirmed lane. */
export async function setPosted(querier: Querier, requestId: Hex, transaction: Hex): Promise<void> {
  await querier.query('update requests set transaction = $2 where request_id = $1', [requestId, transaction])
}

/**
 * Forgets the bytes of old transcripts. Kept longer: what still has to be settled or paid, and what somebody may yet have to
 * judge.
 */
export async function forgetTranscripts(
  querier: Querier,
  { beforeMs, nowMs }: { beforeMs: number; nowMs: number },
): Promise<void> {
  await querier.query(
    `update requests set input = null, result = null where created_at_ms < $1 and coalesce(keep_until_ms, 0) < $2
       and (input is not null or result is not null) and settlement not in ('pending', 'sending')`,
    [beforeMs, nowMs],
  )
}

/** Numbers of one range that are spoken for: to be settled, or still at work. */
export async function listUsedSequences(
  querier: Querier,
  options: { requester: Address; from: bigint; to: bigint; sinceMs: number },
): Promise<bigint[]> {
  const rows = await querier.query(
    `select sequence from requests where requester = $1 and sequence >= $2 and sequence <= $3
       and (settlement in ('pending', 'sending') or (status = 'dispatched' and created_at_ms > $4))`,
    [options.requester, options.from, options.to, options.sinceMs],
  )
  return rows.map((row) => BigInt(String(row.sequence)))
}

function identity({ requestId, ticket, ticketSignature, paymentId }: Draft & { ticketSignature?: Hex }): SqlValue[] {
  return [
    requestId,
    ticket.requester,
    ticket.sequence,
    ticket.functionId,
    paymentId ?? null,
    toJson(ticket),
    ticketSignature ?? '',
  ]
}

function executedValues(job: Recorded): SqlValue[] {
  return [
    ...identity(job),
    job.salt,
    job.input,
    job.fromBlock,
    job.createdAtMs,
    job.result,
    toJson(job.attestations),
    job.commitSet === undefined ? null : toJson(job.commitSet),
    job.settlement,
    job.settled?.transaction ?? null,
    job.settled === undefined ? null : BigInt(job.settled.blockNumber),
    job.settled?.index ?? null,
    job.settleAfterMs ?? 0,
    job.keepUntilMs ?? null,
  ]
}

function toRecord(row: SqlRow): RequestRecord {
  return {
    requestId: row.request_id as Hex,
    ticket: toTicket(row.ticket),
    ticketSignature: row.ticket_signature as Hex,
    salt: row.salt as Hex,
    input: toBytes(row.input),
    result: toBytes(row.result),
    attestations: row.attestation === null ? [] : toAttestations(String(row.attestation)),
    commitSet: row.commit_set === null ? undefined : (JSON.parse(String(row.commit_set)) as ClosedCommitSet),
    paymentId: (row.payment_id ?? undefined) as Hex | undefined,
    status: row.status as RequestRecord['status'],
    settlement: row.settlement as SettlementState,
    settlementAttempts: Number(row.settlement_attempts),
    settlementNextMs: Number(row.settlement_next_ms),
    fromBlock: BigInt(String(row.from_block)),
    createdAtMs: Number(row.created_at_ms),
    settled:
      row.block_number === null
        ? undefined
        : {
            transaction: row.transaction as Hex,
            blockNumber: String(row.block_number),
            index: Number(row.log_position),
          },
  }
}

function toTicket(value: SqlValue | undefined): Ticket {
  return ticketSchema.parse(JSON.parse(String(value)))
}

/** One attestation, as rows of the first version have it, or a list. */
function toAttestations(text: string): OpenedAttestation[] {
  const value = JSON.parse(text) as OpenedAttestation | OpenedAttestation[]
  return (Array.isArray(value) ? value : [value]).map((one) => ({
    ...one,
    attestation: attestationSchema.parse(one.attestation) satisfies Attestation,
  }))
}

function toBytes(value: SqlValue | undefined): Uint8Array | undefined {
  return value instanceof Uint8Array ? new Uint8Array(value) : undefined
}

function toJson(value: unknown): string {
  return JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? member.toString() : member))
}

function places(values: readonly unknown[], first: number): string {
  return values.map((_, index) => `$${first + index}`).join(', ')
}

/** `($1, $2 …), ($3 …)` for rows of values, each row ended by `more`. */
function tuples(rows: readonly (readonly unknown[])[], more: string, first = 1): string {
  const width = rows[0]?.length ?? 0
  return rows.map((row, index) => `(${places(row, first + index * width)}${more})`).join(', ')
}
