import {
  DEPLOYMENT_FLAGS,
  type DeclineReason,
  epochAt,
  hashInput,
  type IsolationLevel,
  isolationOf,
  LIMITS,
  type LimitsClass,
  limitsClass,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  requestId,
  type Seat,
  type Signing,
  sameHex,
  seal,
  type Ticket,
} from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { Deployment } from './chain/coordinator.ts'
import type { SeatFacts } from './seats.ts'

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
  /** The request waited on chain so long that it is open to every operator. */
  widened?: boolean
}

/** An offer that this worker runs. `randomness` is what seeds the function's, see `executionSeed`. */
export type Job = JobOffer & {
  limits: LimitsClass
  isolation: IsolationLevel
  bundleDigest: Hex
  seat: Seat
  randomness: Hex
  /** The function may call out, through its requester's broker. */
  usesNetwork: boolean
  /** The code reads secrets, which its requester seals for the sandbox. */
  readsEnvironment: boolean
}

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
  seats: Pick<SeatFacts, 'seat' | 'drawReason' | 'bondedForQuorum'>
  /** `undefined` when the block that seeds a request of the confirmed lane did not come in time. */
  randomness: Hex | undefined
  /** This worker has a session with the ticket's requester, whose broker makes outgoing calls. */
  requesterConnected: boolean
}

export type Decision = { type: 'accepted'; job: Job } | { type: 'declined'; reason: DeclineReason }

/** The deadline must leave at least this much time to run and answer. */
const leastSecondsLeft = 1
const { network: flagNetwork, secrets: flagSecrets, environment: flagEnvironment } = DEPLOYMENT_FLAGS
const supportedFlags = 0b1111 | (0b11 << 8)

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
  if (ticket.quorum < 1 || ticket.quorum > LIMITS.quorum) return 'quorum-unsupported'
  if (!sameHex(ticket.runtimeDigest, facts.runtimeDigest)) return 'runtime-unsupported'
  if (ticket.fee < facts.minimumFee) return 'fee-too-low'
  return undefined
}

/** The checks against the chain. Pure. */
export function checkOnChain(offer: JobOffer, facts: ChainFacts): DeclineReason | undefined {
  const { ticket, source } = offer
  const { deployment, credit, outstanding, posted } = facts
  if (!deployment) return 'function-unknown'
  const takesSecrets = (deployment.flags & flagSecrets) !== 0
  if (!sameHex(deployment.runtimeDigest, ticket.runtimeDigest) || takesSecrets !== ticket.envVersion > 0)
    return 'function-mismatch'
  if ((deployment.flags & ~supportedFlags) !== 0) return 'runtime-unsupported'
  if (usesNetwork(deployment) && !facts.requesterConnected) return 'egress-unavailable'
  if (readsEnvironment(deployment)) {
    if (!takesSecrets) return 'function-mismatch'
    if (!facts.requesterConnected) return 'environment-unavailable'
  }
  if (!limitsClass(deployment.limitsClass)) return 'limits-class-unknown'
  if (ticket.quorum < deployment.quorum) return 'quorum-unsupported'
  if (ticket.fee < deployment.fee) return 'fee-too-low'
  if (!posted) return 'ticket-invalid'
  const withoutSeat = checkSeat(offer, facts)
  if (withoutSeat) return withoutSeat
  if (facts.randomness === undefined) return 'deadline-too-close'
  if (source === 'chain' || !credit) return undefined
  if (credit.maxFee < ticket.fee || credit.available - outstanding < ticket.fee) return 'credit-exhausted'
  return undefined
}

/** Whether this operator may run the ticket, and would be paid for it. Pure. */
function checkSeat({ ticket, widened, source }: JobOffer, { seats }: ChainFacts): DeclineReason | undefined {
  if (source === 'gateway' && ticket.quorum > 1 && !seats.bondedForQuorum) return 'requester-not-bonded'
  if (widened) return undefined
  if (seats.seat === undefined) return 'not-seated'
  if (seats.drawReason === 'none') return undefined
  // On chain such a request is nobody's until it is everybody's.
  if (source === 'chain') return 'not-seated'
  return seats.drawReason === 'requester-not-bonded' ? 'requester-not-bonded' : 'ticket-invalid'
}

/** The decision over what the chain says, for an offer that passed the other checks. Pure. */
export function acceptJob(offer: JobOffer, facts: ChainFacts): Decision {
  const reason = checkOnChain(offer, facts)
  if (reason) return { type: 'declined', reason }
  const limits = facts.deployment && limitsClass(facts.deployment.limitsClass)
  const { deployment, randomness } = facts
  if (!deployment || !limits || randomness === undefined) return { type: 'declined', reason: 'function-unknown' }
  const seat = offer.widened || !facts.seats.seat ? 'widened' : facts.seats.seat
  const { bundleDigest } = deployment
  const isolation = isolationOf(deployment.flags)
  const needs = { usesNetwork: usesNetwork(deployment), readsEnvironment: readsEnvironment(deployment) }
  const job = { ...offer, limits, isolation, bundleDigest, seat, randomness, ...needs }
  return { type: 'accepted', job }
}

function readsEnvironment({ flags }: Deployment): boolean {
  return (flags & flagEnvironment) !== 0
}

function usesNetwork({ flags }: Deployment): boolean {
  return (flags & flagNetwork) !== 0
}
