import { timingSafeEqual } from 'node:crypto'
import { PeerHostError, receiptToJson, toBase64 } from '@peerhost/protocol'
import type { Request } from 'express'
import type { Hex } from 'viem'
import type { Database } from '../database/database.ts'
import type { EscrowRecord } from '../escrow/escrow.ts'
import { findEscrow } from '../escrow/escrowTable.ts'
import { findPayment } from '../payment/paymentTable.ts'
import type { Recorder } from '../requests/recorder.ts'
import type { RequestRecord } from '../requests/request.ts'
import { type RespondDeps, receiptOf } from '../walk/respond.ts'
import { type Exchange, writeJson } from './write.ts'

export type RequestRouteDeps = { recorder: Pick<Recorder, 'find'>; database: Database; receipts: RespondDeps }

/** `GET /v1/requests/:requestId`: what became of a request. Never its salt, input or result. */
export async function getRequest(deps: RequestRouteDeps, request: Request, exchange: Exchange): Promise<void> {
  const record = await find(deps, request)
  const { requestId, ticket, attestations, settled } = record
  const [first] = attestations
  const escrow =
    record.paymentId && ticket.quoteId !== record.paymentId
      ? await findEscrow(deps.database, ticket.quoteId)
      : undefined
  writeJson(exchange, 200, {
    requestId,
    status: statusOf(record),
    functionId: ticket.functionId,
    ...(first ? { operator: first.operator, operators: attestations.map(({ operator }) => operator) } : {}),
    ...(settled ? { transaction: settled.transaction, blockNumber: settled.blockNumber, index: settled.index } : {}),
    ...(escrow ? { escrow: escrowCard(escrow) } : {}),
  })
}

/**
 * `GET /v1/requests/:requestId/transcript` with `PeerHost-Salt`: the canonical bytes and the receipt, for who knows the
 * salt. A wrong salt and an unknown request look the same.
 */
export async function getTranscript(deps: RequestRouteDeps, request: Request, exchange: Exchange): Promise<void> {
  const salt = request.headers['peerhost-salt']
  const record = await find(deps, request)
  const { input, result } = record
  if (typeof salt !== 'string' || !isSameSalt(salt, record.salt) || !input || !result) throw notFound()
  const payment = record.paymentId && (await findPayment(deps.database, record.paymentId))
  const isPaid = payment?.transaction !== undefined && payment.answerRequestId === record.requestId
  const receipt = receiptOf(deps.receipts, {
    ...record,
    payment: isPaid
      ? { record: payment, collected: { type: 'paid', transaction: payment.transaction as Hex } }
      : undefined,
  })
  // A paid request's result is its caller's only once it is paid for; the salt is in the receipt that comes with it.
  if (record.ticket.price > 0n && !isPaid && payment?.answerRequestId === record.requestId) throw notFound()
  writeJson(
    exchange,
    200,
    {
      request: toBase64(input),
      result: toBase64(result),
      receipt: receiptToJson({ ...receipt, ...(record.settled ? { settlement: record.settled } : {}) }),
    },
    [['cache-control', 'private, no-store']],
  )
}

/** Where the money is. Amounts in atomic units; transactions say how it got there. */
function escrowCard({ quoteId, deposit, terms, state, payer, openedBy, settledBy, closedBy }: EscrowRecord) {
  return {
    quoteId,
    deposit,
    amount: terms.price.toString(),
    payer,
    payee: terms.payee,
    state,
    inEscrow: state === 'open' || state === 'settled' ? terms.price.toString() : '0',
    released: state === 'released' ? terms.price.toString() : '0',
    refunded: state === 'refunded' ? terms.price.toString() : '0',
    transactions: { opened: openedBy, settled: settledBy, closed: closedBy },
  }
}

function statusOf({ status, settlement }: RequestRecord): 'dispatched' | 'executed' | 'settled' | 'failed' {
  return status === 'executed' && settlement === 'settled' ? 'settled' : status
}

async function find({ recorder }: RequestRouteDeps, request: Request): Promise<RequestRecord> {
  const id = String(request.params.requestId).toLowerCase()
  const record = /^0x[0-9a-f]{64}$/.test(id) ? await recorder.find(id as Hex) : undefined
  if (!record) throw notFound()
  return record
}

function isSameSalt(given: string, salt: Hex): boolean {
  const a = Buffer.from(given.toLowerCase())
  const b = Buffer.from(salt)
  return a.length === b.length && timingSafeEqual(a, b)
}

function notFound(): PeerHostError {
  return new PeerHostError('receipt_not_found', 'No request with this id and salt is kept here.', {
    hint: 'Transcripts are kept 24 hours.',
  })
}
