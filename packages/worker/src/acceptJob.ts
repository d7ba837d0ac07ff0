import {
  type DeclineReason,
  epochAt,
  hashInput,
  LIMITS,
  type LimitsClass,
  limitsClass,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  requestId,
  type Signing,
  sameHex,
  seal,
  type Ticket,
} from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { Deployment } from './chain/coordinator.ts'

/** A ticket and its input, as a gateway or the chain gave them. The signature is `0x` when it came from the chain. */
export type JobOffer = {
  requestId: Hex
  ticket: Ticket
  signature: Hex
  salt: Hex
  input: Uint8Array
  /** `chain`: the coordinator has checked the signature and set the fee aside. */
  source: 'gateway' | 'chain'
  /** The input stood in calldata, so the result may too. */
  publicInput: boolean
}

/** An offer that this worker runs. */
export type Job = JobOffer & { limits: LimitsClass; bundleDigest: Hex }

/** What a worker knows without asking anybody. */
export type LocalFacts = {
  nowSeconds: number
  draining: boolean
  operatorActive: boolean
  freeSlots: number
  epochSeconds: number
  maximumTicketLifetimeSeconds: number
  runtimeDigest: Hex
  minimumFee: bigint
  /** Another request of the same requester and sequence number was attested here. */
  sequenceTaken: boolean
}

/** What only the chain knows. */
export type ChainFacts = {
  deployment: Deployment | undefined
  /** Absent for posted tickets: the coordinator has set the fee aside. */
  credit: { available: bigint; maxFee: bigint } | undefined
  /** Fees that this worker earned from the same credit and that are not yet off it on chain. */
  outstanding: bigint
  /** False for a ticket of the confirmed lane that is not waiting on chain. */
  posted: boolean
}

export type Decision = { type: 'accepted'; job: Job } | { type: 'declined'; reason: DeclineReason }

/** The deadline must leave at least this much time to run and answer. */
const leastSecondsLeft = 1
const supportedFlags = 0b1 | (0b11 << 8)

/**
 * Whether the offer is what it says: id, signature and sealed input. First of all checks, because what is in the journal
 * is given only to who holds the request.
 */
export async function checkIdentity(
  domain: ProtocolDomain,
  signing: Signing,
  { requestId: id, ticket, signature, salt, input, source }: JobOffer,
): Promise<DeclineReason | undefined> {
  const digest = requestId(domain, ticket)
  // Exactly, not in any spelling: the journal knows a request by this text.
  if (digest !== id) return 'ticket-signature'
  if (source === 'gateway') {
    const signer = await signing.recover(digest, signature)
    if (!signer || !sameHex(signer, ticket.requester)) return 'ticket-signature'
  }
  if (!sameHex(seal(hashInput(input), salt), ticket.inputSeal)) return 'input-mismatch'
  return undefined
}

/** The checks that cost nothing. Pure. */
export function checkLocally({ ticket, source }: JobOffer, facts: LocalFacts): DeclineReason | undefined {
  if (facts.draining || !facts.operatorActive) return 'draining'
  if (facts.freeSlots <= 0) return 'at-capacity'
  if (source === 'gateway' && Math.abs(ticket.issuedAt - facts.nowSeconds) > LIMITS.clockSkewSeconds)
    return 'clock-skew'
  if (ticket.deadline - facts.nowSeconds < leastSecondsLeft) return 'deadline-too-close'
  if (
    ticket.protocolVersion !== PROTOCOL_VERSION ||
    ticket.epoch !== epochAt(ticket.issuedAt, facts.epochSeconds) ||
    ticket.deadline - ticket.issuedAt > facts.maximumTicketLifetimeSeconds ||
    facts.sequenceTaken
  )
    return 'ticket-invalid'
  if (ticket.quorum !== 1) return 'quorum-unsupported'
  if (!sameHex(ticket.runtimeDigest, facts.runtimeDigest)) return 'runtime-unsupported'
  if (ticket.fee < facts.minimumFee) return 'fee-too-low'
  return undefined
}

/** The checks against the chain. Pure. */
export function checkOnChain(
  { ticket, source }: JobOffer,
  { deployment, credit, outstanding, posted }: ChainFacts,
): DeclineReason | undefined {
  if (!deployment) return 'function-unknown'
  if (!sameHex(deployment.runtimeDigest, ticket.runtimeDigest) || ticket.envVersion !== 0) return 'function-mismatch'
  // Network and secrets need parts that this sandbox does not have.
  if ((deployment.flags & ~supportedFlags) !== 0) return 'runtime-unsupported'
  if (!limitsClass(deployment.limitsClass)) return 'limits-class-unknown'
  if (ticket.quorum < deployment.quorum) return 'quorum-unsupported'
  if (ticket.fee < deployment.fee) return 'fee-too-low'
  if (!posted) return 'ticket-invalid'
  if (source === 'chain' || !credit) return undefined
  if (credit.maxFee < ticket.fee || credit.available - outstanding < ticket.fee) return 'credit-exhausted'
  return undefined
}

/** The decision over what the chain says, for an offer that passed the other checks. Pure. */
export function acceptJob(offer: JobOffer, facts: ChainFacts): Decision {
  const reason = checkOnChain(offer, facts)
  if (reason) return { type: 'declined', reason }
  const limits = facts.deployment && limitsClass(facts.deployment.limitsClass)
  if (!facts.deployment || !limits) return { type: 'declined', reason: 'function-unknown' }
  return { type: 'accepted', job: { ...offer, limits, bundleDigest: facts.deployment.bundleDigest } }
}
