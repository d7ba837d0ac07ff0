import { randomBytes } from 'node:crypto'
import {
  type DigestSigner,
  epochAt,
  hashInput,
  laneNumber,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  requestId,
  seal,
  type Ticket,
  zeroBytes32,
} from '@peerhost/protocol'
import { bytesToHex, type Hex, zeroAddress } from 'viem'
import type { EscrowQuote } from '../escrow/escrow.ts'
import type { Payment, Terms } from '../payment/payment.ts'
import type { Draft, Job } from '../requests/request.ts'
import type { Canonical } from './canonicalise.ts'
import type { Quote } from './quote.ts'

export type TicketDeps = {
  signer: DigestSigner
  domain: ProtocolDomain
  epochSeconds: number
  nowSeconds: () => number
  headBlock: () => bigint
  /** The chain's own time at the newest block, in seconds. */
  headSeconds: () => number
}

/** The ticket of a request, unsigned: what it will cost, who pays whom, until when. */
export function draftTicket(
  deps: TicketDeps,
  parts: {
    quote: Pick<Quote, 'record' | 'lane' | 'lifetimeSeconds'>
    canonical: Canonical
    sequence: bigint
    paid: { payment: Payment; terms: Terms } | undefined
    /** Version of the secrets that the function runs with. */
    envVersion: number
  },
): Draft {
  const { quote, canonical, sequence, paid, envVersion } = parts
  const { state, deployment, functionId } = quote.record
  const escrow = paid?.terms.escrow
  const salt = escrow?.salt ?? bytesToHex(randomBytes(32))
  const issuedAt = quote.lane === 'confirmed' ? confirmedIssuedAt(deps) : deps.nowSeconds()
  const ticket: Ticket = {
    protocolVersion: PROTOCOL_VERSION,
    functionId,
    functionVersion: state.currentVersion,
    envVersion,
    runtimeDigest: deployment.runtimeDigest,
    inputSeal: seal(canonical.inputHash, salt),
    requester: deps.signer.address,
    epoch: epochAt(issuedAt, deps.epochSeconds),
    sequence,
    quorum: deployment.quorum,
    lane: laneNumber(quote.lane),
    fee: deployment.fee,
    issuedAt,
    deadline: Math.min(issuedAt + quote.lifetimeSeconds, escrow?.terms.deadline ?? Number.MAX_SAFE_INTEGER),
    payer: paid?.payment.payer ?? zeroAddress,
    payee: escrow?.terms.payee ?? paid?.terms.payTo ?? zeroAddress,
    price: paid?.terms.price ?? 0n,
    quoteId: escrow?.quoteId ?? paid?.payment.id ?? zeroBytes32,
    funder: state.owner,
  }
  return {
    requestId: requestId(deps.domain, ticket),
    ticket,
    salt,
    input: canonical.bytes,
    paymentId: paid?.payment.id,
    fromBlock: deps.headBlock(),
    createdAtMs: deps.nowSeconds() * 1_000,
  }
}

/**
 * The same job under a fresh ticket: for workers that refuse tickets that are no longer young. One that is paid in escrow
 * keeps its seal and its last moment: the payer agreed to them.
 */
export function renewDraft(deps: TicketDeps, job: Draft, sequence: bigint, escrow: EscrowQuote | undefined): Draft {
  const salt = escrow ? job.salt : bytesToHex(randomBytes(32))
  const issuedAt = deps.nowSeconds()
  const deadline = issuedAt + (job.ticket.deadline - job.ticket.issuedAt)
  const ticket: Ticket = {
    ...job.ticket,
    inputSeal: seal(hashInput(job.input), salt),
    sequence,
    epoch: epochAt(issuedAt, deps.epochSeconds),
    issuedAt,
    deadline: Math.min(deadline, escrow?.terms.deadline ?? deadline),
  }
  const { input, paymentId } = job
  const id = requestId(deps.domain, ticket)
  return { requestId: id, ticket, salt, input, paymentId, fromBlock: deps.headBlock(), createdAtMs: issuedAt * 1_000 }
}

/** Signs a drafted ticket. The same draft gives the same signature again, so a restart needs no stored one. */
export async function signTicket(deps: Pick<TicketDeps, 'signer'>, draft: Draft): Promise<Job> {
  const ticketSignature: Hex = await deps.signer.sign(draft.requestId)
  return { ...draft, ticketSignature }
}

/** A posted ticket is checked against the chain's clock at once; that clock may be a little behind ours. */
function confirmedIssuedAt(deps: TicketDeps): number {
  const now = deps.nowSeconds()
  return Math.max(Math.min(now, deps.headSeconds()), now - mostBehindSeconds)
}

const mostBehindSeconds = 15
