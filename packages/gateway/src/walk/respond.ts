import {
  decodeBody,
  decodeResult,
  encodeReceiptHeader,
  isResourceOutcome,
  PeerHostError,
  type ProtocolDomain,
  type Receipt,
} from '@peerhost/protocol'
import type { Address } from 'viem'
import type { Collected, PaymentRecord } from '../payment/payment.ts'
import type { RequestRecord } from '../requests/request.ts'
import { resourceProblem } from './dispatch.ts'
import type { Answer } from './incoming.ts'

/** The parts of a finished request that its answer is made of. The same parts give the same answer, byte for byte. */
export type Finished = Pick<
  RequestRecord,
  'requestId' | 'ticket' | 'ticketSignature' | 'salt' | 'attestations' | 'result'
> & { payment?: { record: PaymentRecord; collected: Collected } | undefined }

export type RespondDeps = { domain: ProtocolDomain; network: { name: string; asset: Address } }

/** The function's own status, headers and body, with the receipt that proves them. */
export function respond(deps: RespondDeps, finished: Finished): Extract<Answer, { type: 'answered' }> {
  const { attestations, result, requestId, payment } = finished
  if (attestations.length === 0 || !result)
    throw new PeerHostError('receipt_not_found', 'The answer to this payment is not kept any more.', {
      hint: 'Answers are kept 24 hours. Nothing is charged again.',
    })
  const { outcome, status, headers, body } = decodeResult(result)
  if (isResourceOutcome(outcome)) throw resourceProblem(outcome, 'A quorum of workers agrees.')
  return {
    type: 'answered',
    requestId,
    status,
    headers,
    body: decodeBody(body),
    receipt: encodeReceiptHeader(receiptOf(deps, finished)),
    worker: attestations.map(({ operator }) => operator).join(', '),
    isPriced: finished.ticket.price > 0n,
    payment: payment && { payment: payment.record.payment, collected: payment.collected },
  }
}

/** The receipt of a finished request. Without the settlement on chain, which comes after the answer. */
export function receiptOf(
  { domain, network }: RespondDeps,
  { requestId, ticket, ticketSignature, salt, attestations, payment }: Finished,
): Receipt {
  if (attestations.length === 0) throw new PeerHostError('receipt_not_found', 'The request has no result.')
  return {
    v: 1,
    chainId: domain.chainId,
    coordinator: domain.coordinator,
    requestId,
    ticket,
    ticketSignature,
    salt,
    attestations: attestations.map(({ attestation, signature, executionKey, operator }) => ({
      attestation,
      signature,
      executionKey,
      operator,
    })),
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
