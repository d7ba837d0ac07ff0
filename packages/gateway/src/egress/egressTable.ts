import type { Address, Hex } from 'viem'
import type { Querier, SqlRow } from '../database/database.ts'

/** One outgoing call as it is kept. Without an answer it was begun, and what came of it is not known. */
export type RecordedCall = {
  requestId: Hex
  index: number
  callDigest: Hex
  /** Who asked first. */
  worker: Address
  /** Bodies of both ways. */
  bytes: number
  answer: Uint8Array | undefined
  signature: Hex | undefined
}

/** Writes down that a call is going to be made. False when it was written down before. */
export async function insertCall(
  querier: Querier,
  { requestId, index, callDigest, worker, bytes }: Omit<RecordedCall, 'answer' | 'signature'>,
  nowMs: number,
): Promise<boolean> {
  const rows = await querier.query(
    `insert into egress_calls (request_id, call_index, call_digest, worker, bytes, created_at_ms)
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning call_index`,
    [requestId, index, callDigest, worker, bytes, nowMs],
  )
  return rows.length > 0
}

/** Records what came of a call. */
export async function saveAnswer(
  querier: Querier,
  call: Pick<RecordedCall, 'requestId' | 'index' | 'bytes'> & { answer: Uint8Array; signature: Hex },
): Promise<void> {
  await querier.query(
    `update egress_calls set answer = $3, signature = $4, bytes = $5 where request_id = $1 and call_index = $2`,
    [call.requestId, call.index, call.answer, call.signature, call.bytes],
  )
}

export async function findCall(querier: Querier, requestId: Hex, index: number): Promise<RecordedCall | undefined> {
  const [row] = await querier.query('select * from egress_calls where request_id = $1 and call_index = $2', [
    requestId,
    index,
  ])
  return row && toCall(row)
}

/** Bytes that the calls of a request have moved. */
export async function countBytes(querier: Querier, requestId: Hex): Promise<number> {
  const [row] = await querier.query('select coalesce(sum(bytes), 0) as bytes from egress_calls where request_id = $1', [
    requestId,
  ])
  return Number(row?.bytes ?? 0)
}

/** Forgets recorded calls when the bytes of their requests are forgotten, see `forgetTranscripts`. */
export async function forgetCalls(
  querier: Querier,
  { beforeMs, nowMs }: { beforeMs: number; nowMs: number },
): Promise<void> {
  await querier.query(
    `delete from egress_calls where created_at_ms < $1 and not exists (
       select 1 from requests where requests.request_id = egress_calls.request_id
         and (coalesce(keep_until_ms, 0) >= $2 or settlement in ('pending', 'sending')))`,
    [beforeMs, nowMs],
  )
}

function toCall(row: SqlRow): RecordedCall {
  return {
    requestId: row.request_id as Hex,
    index: Number(row.call_index),
    callDigest: row.call_digest as Hex,
    worker: row.worker as Address,
    bytes: Number(row.bytes),
    answer: row.answer instanceof Uint8Array ? new Uint8Array(row.answer) : undefined,
    signature: (row.signature ?? undefined) as Hex | undefined,
  }
}
