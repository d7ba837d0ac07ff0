import type { PaymentMode } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { Querier, SqlRow } from '../database/database.ts'
import { toQuote } from '../escrow/escrowTable.ts'
import type { Payment, PaymentRecord, PaymentState } from './payment.ts'

/** Stores a payment that nobody stored before. False when somebody did. */
export async function insertPayment(querier: Querier, record: PaymentRecord, nowMs: number): Promise<boolean> {
  const { payment, terms } = record
  const rows = await querier.query(
    `insert into payments (payment_id, requester, function_id, fingerprint, mode, state, price, pay_to, payer, nonce,
       valid_before, from_block, payment, request_id, created_at_ms, updated_at_ms)
     values ($1, $2, $3, $4, $5, 'reserved', $6, $7, $8, $9, $10, $11, $12, $13, $14, $14)
     on conflict (payment_id) do nothing returning payment_id`,
    [
      payment.id,
      record.requester,
      record.functionId,
      record.fingerprint,
      terms.mode,
      terms.price.toString(),
      terms.payTo,
      payment.payer,
      payment.nonce,
      payment.validBefore,
      record.fromBlock,
      toJson(payment),
      record.requestId,
      nowMs,
    ],
  )
  return rows.length === 1
}

/** With the quote that it pays, in escrow mode. */
const withQuote = `select p.*, e.quote_id, e.deposit, e.terms, e.salt
  from payments p left join escrows e on e.deposit = p.pay_to`

export async function findPayment(querier: Querier, id: Hex): Promise<PaymentRecord | undefined> {
  const [row] = await querier.query(`${withQuote} where p.payment_id = $1`, [id])
  return row && toRecord(row)
}

/** The payment, locked until the transaction ends. */
export async function lockPayment(querier: Querier, id: Hex): Promise<PaymentRecord | undefined> {
  const [row] = await querier.query(`${withQuote} where p.payment_id = $1 for update of p`, [id])
  return row && toRecord(row)
}

/** Binds a payment that may be used again to a new job. */
export async function rebindPayment(
  querier: Querier,
  record: PaymentRecord,
  options: { state: PaymentState; nowMs: number },
): Promise<void> {
  await querier.query(
    `update payments set requester = $2, function_id = $3, fingerprint = $4, mode = $5, state = $6, price = $7, pay_to = $8,
       from_block = $9, payment = $10, request_id = $11, answer_request_id = null, reason = null, updated_at_ms = $12
     where payment_id = $1`,
    [
      record.payment.id,
      record.requester,
      record.functionId,
      record.fingerprint,
      record.terms.mode,
      options.state,
      record.terms.price.toString(),
      record.terms.payTo,
      record.fromBlock,
      toJson(record.payment),
      record.requestId,
      options.nowMs,
    ],
  )
}

/** What a step changes. Absent members stay as they are. */
export type PaymentChange = {
  state: PaymentState
  answerRequestId?: Hex | undefined
  requestId?: Hex | undefined
  transaction?: Hex | undefined
  reason?: string | undefined
}

/**
 * Moves a payment on, if it is still in one of the states `from`. False when it is not: then somebody else moved it.
 */
export async function movePayment(
  querier: Querier,
  id: Hex,
  from: readonly PaymentState[],
  change: PaymentChange,
  nowMs: number,
): Promise<boolean> {
  const rows = await querier.query(
    `update payments set state = $2, answer_request_id = coalesce($3, answer_request_id),
       request_id = coalesce($4, request_id), transaction = coalesce($5, transaction), reason = coalesce($6, reason),
       updated_at_ms = $7
     where payment_id = $1 and state in (${from.map((_, index) => `$${index + 8}`).join(', ')}) returning payment_id`,
    [
      id,
      change.state,
      change.answerRequestId ?? null,
      change.requestId ?? null,
      change.transaction ?? null,
      change.reason ?? null,
      nowMs,
      ...from,
    ],
  )
  return rows.length === 1
}

/** What a restart finds unfinished: everything but released, and paid payments that have no answer yet. */
export async function listUnfinished(querier: Querier, requester: Address): Promise<PaymentRecord[]> {
  const rows = await querier.query(
    `${withQuote} where p.requester = $1
       and (p.state not in ('paid', 'released') or (p.state = 'paid' and p.answer_request_id is null))
     order by p.created_at_ms`,
    [requester],
  )
  return rows.map(toRecord)
}

/** Payments whose collection has an unknown outcome. */
export async function listUnknown(querier: Querier, requester: Address): Promise<PaymentRecord[]> {
  const rows = await querier.query(`${withQuote} where p.requester = $1 and p.state = 'unknown' limit 100`, [requester])
  return rows.map(toRecord)
}

function toRecord(row: SqlRow): PaymentRecord {
  return {
    payment: fromJson(String(row.payment)),
    requester: row.requester as Address,
    functionId: row.function_id as Hex,
    fingerprint: row.fingerprint as Hex,
    terms: {
      price: BigInt(String(row.price)),
      payTo: row.pay_to as Address,
      mode: row.mode as PaymentMode,
      ...(row.mode === 'escrow' && row.quote_id !== null ? { escrow: toQuote(row) } : {}),
    },
    state: row.state as PaymentState,
    requestId: row.request_id as Hex,
    answerRequestId: (row.answer_request_id ?? undefined) as Hex | undefined,
    transaction: (row.transaction ?? undefined) as Hex | undefined,
    reason: (row.reason ?? undefined) as string | undefined,
    fromBlock: BigInt(String(row.from_block)),
  }
}

function toJson(payment: Payment): string {
  return JSON.stringify({ ...payment, amount: payment.amount.toString() })
}

function fromJson(text: string): Payment {
  const value = JSON.parse(text) as Omit<Payment, 'amount' | 'asset'> & { amount: string; asset?: Address }
  return { ...value, amount: BigInt(value.amount), asset: value.asset }
}
