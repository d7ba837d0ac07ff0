import type { EscrowTerms } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { Querier, SqlRow, SqlValue } from '../database/database.ts'
import type { EscrowQuote, EscrowRecord, EscrowState } from './escrow.ts'

/** Remembers a quote before anyone is told of it: its address is of no other. */
export async function insertQuote(
  querier: Querier,
  quote: EscrowQuote,
  about: { functionId: Hex; fingerprint: Hex; nowMs: number },
): Promise<void> {
  await querier.query(
    `insert into escrows (quote_id, deposit, requester, function_id, fingerprint, terms, salt, state, expires_at_ms,
       attempts, next_ms, created_at_ms)
     values ($1, $2, $3, $4, $5, $6, $7, 'quoted', $8, 0, 0, $9)`,
    [
      quote.quoteId,
      quote.deposit,
      quote.terms.requester,
      about.functionId,
      about.fingerprint,
      termsToJson(quote.terms),
      quote.salt,
      quote.terms.deadline * 1_000,
      about.nowMs,
    ],
  )
}

export async function findEscrowByDeposit(querier: Querier, deposit: Address): Promise<EscrowRecord | undefined> {
  const [row] = await querier.query('select * from escrows where deposit = $1', [deposit])
  return row && toRecord(row)
}

export async function findEscrow(querier: Querier, quoteId: Hex): Promise<EscrowRecord | undefined> {
  const [row] = await querier.query('select * from escrows where quote_id = $1', [quoteId])
  return row && toRecord(row)
}

/** The escrows whose next step is due. */
export async function listDueEscrows(
  querier: Querier,
  options: { requester: Address; nowMs: number; limit: number },
): Promise<EscrowRecord[]> {
  const rows = await querier.query(
    `select * from escrows where requester = $1 and state in ('open', 'settled') and next_ms <= $2
     order by next_ms limit $3`,
    [options.requester, options.nowMs, options.limit],
  )
  return rows.map(toRecord)
}

/** What a step changes. Absent members stay as they are. */
export type EscrowChange = {
  state?: EscrowState
  paymentId?: Hex | undefined
  payer?: Address | undefined
  requestId?: Hex | undefined
  openedBy?: Hex | undefined
  settledBy?: Hex | undefined
  closedBy?: Hex | undefined
  reason?: string | undefined
  attempts?: number
  nextMs?: number
}

const columns: Record<keyof EscrowChange, string> = {
  state: 'state',
  paymentId: 'payment_id',
  payer: 'payer',
  requestId: 'request_id',
  openedBy: 'opened_by',
  settledBy: 'settled_by',
  closedBy: 'closed_by',
  reason: 'reason',
  attempts: 'attempts',
  nextMs: 'next_ms',
}

/** Moves an escrow on, if it is still in one of the states `from`. False when somebody else moved it. */
export async function moveEscrow(
  querier: Querier,
  quoteId: Hex,
  from: readonly EscrowState[],
  change: EscrowChange,
): Promise<boolean> {
  const given = (Object.entries(change) as [keyof EscrowChange, SqlValue | undefined][]).filter(
    (entry): entry is [keyof EscrowChange, SqlValue] => entry[1] !== undefined,
  )
  const sets = given.map(([name], index) => `${columns[name]} = $${index + 2}`)
  const states = from.map((_, index) => `$${given.length + 2 + index}`)
  const rows = await querier.query(
    `update escrows set ${sets.join(', ')} where quote_id = $1 and state in (${states.join(', ')}) returning quote_id`,
    [quoteId, ...given.map(([, value]) => value), ...from],
  )
  return rows.length === 1
}

/** Forgets quotes that nobody paid, some time after their last moment. */
export async function forgetQuotes(querier: Querier, beforeMs: number): Promise<void> {
  await querier.query(
    `delete from escrows where state = 'quoted' and expires_at_ms < $1
       and not exists (select 1 from payments where payments.pay_to = escrows.deposit and payments.state <> 'released')`,
    [beforeMs],
  )
}

/** The quote of a row that was joined with its columns `quote_id`, `deposit`, `terms` and `salt`. */
export function toQuote(row: SqlRow): EscrowQuote {
  return {
    quoteId: row.quote_id as Hex,
    deposit: row.deposit as Address,
    terms: termsFromJson(String(row.terms)),
    salt: row.salt as Hex,
  }
}

function toRecord(row: SqlRow): EscrowRecord {
  const text = <T extends string>(value: SqlValue | undefined) => (value ?? undefined) as T | undefined
  return {
    ...toQuote(row),
    requester: row.requester as Address,
    functionId: row.function_id as Hex,
    fingerprint: row.fingerprint as Hex,
    state: row.state as EscrowState,
    paymentId: text<Hex>(row.payment_id),
    payer: text<Address>(row.payer),
    requestId: text<Hex>(row.request_id),
    openedBy: text<Hex>(row.opened_by),
    settledBy: text<Hex>(row.settled_by),
    closedBy: text<Hex>(row.closed_by),
    reason: text(row.reason),
    attempts: Number(row.attempts),
    nextMs: Number(row.next_ms),
  }
}

function termsToJson(terms: EscrowTerms): string {
  return JSON.stringify({ ...terms, price: terms.price.toString() })
}

function termsFromJson(text: string): EscrowTerms {
  const value = JSON.parse(text) as Omit<EscrowTerms, 'price'> & { price: string }
  return { ...value, price: BigInt(value.price) }
}
