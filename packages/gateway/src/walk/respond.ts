import {
  decodeBody,
  decodeResult,
  encodeReceiptHeader,
  PeerHostError,
  type ProtocolDomain,
  type Receipt,
} from '@peerhost/protocol'
import type { Address } from 'viem'
import type { Collected, PaymentRecord } from '../payment/payment.ts'
import type { RequestRecord } from '../requests/request.ts'
import type { Answer } from './incoming.ts'

/** The parts of a finished request that its answer is made of. The same parts give the same answer, byte for byte. */
export type Finished = Pick<
  RequestRecord,
  'requestId' | 'ticket' | 'ticketSignature' | 'salt' | 'attested' | 'result'
> & { payment?: { record: PaymentRecord; collected: Collected } | undefined }

export type RespondDeps = { domain: ProtocolDomain; network: { name: string; asset: Address } }

/** The function's own status, headers and body, with the receipt that proves them. */
export function respond(deps: RespondDeps, finished: Finished): Extract<Answer, { type: 'answered' }> {
  const { attested, result, requestId, payment } = finished
  if (!attested || !result)
    throw new PeerHostError('receipt_not_found', 'The answer to this payment is not kept any more.', {
      hint: 'Answers are kept 24 hours. Nothing is charged again.',
    })
  const { status, headers, body } = decodeResult(result)
  return {
    type: 'answered',
    requestId,
    status,
    headers,
    body: decodeBody(body),
    receipt: encodeReceiptHeader(receiptOf(deps, finished)),
    worker: attested.operator,
    isPriced: finished.ticket.price > 0n,
    payment: payment && { payment: payment.record.payment, collected: payment.collected },
  }
}

/** The receipt of a finished request. Without the settlement on chain, which comes after the answer. */
export function receiptOf(
  { domain, network }: RespondDeps,
  { requestId, ticket, ticketSignature, salt, attested, payment }: Finished,
): Receipt {
  if (!attested) throw new PeerHostError('receipt_not_found', 'The request has no result.')
  const { attestation, signature, executionKey, operator } = attested
  return {
    v: 1,
    chainId: domain.chainId,
    coordinator: domain.coordinator,
    requestId,
    ticket,
    ticketSignature,
    salt,
    attestations: [{ attestation, signature, executionKey, operator }],
    ...(payment?.collected.type === 'paid'
      ? {
          payment: {
            network: network.name,
            asset: network.asset,
            payer: payment.record.payment.payer,
            payTo: payment.record.terms.payTo,
            amount: payment.record.terms.price.toString(),
            nonce: payment.record.payment.nonce,
            transaction: payment.collected.transaction,
          },
        }
      : {}),
  }
}
