import type { DigestSigner, ProtocolDomain, ProtocolTimes, Signing } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { JobOffer, LocalFacts } from './acceptJob.ts'
import type { Coordinator } from './chain/coordinator.ts'
import type { Lane, PostedRequest } from './chain/lane.ts'
import type { Operators } from './chain/operators.ts'
import { type CommitmentFlow, createCommitmentFlow } from './commitmentFlow.ts'
import { type ConfirmedLane, createConfirmedLane, type PostedEnd } from './confirmedLane.ts'
import { type CourtDuty, type CourtDutyParts, createCourtDuty } from './court/courtDuty.ts'
import { createEgressCalls, type EgressCalls } from './egressCalls.ts'
import { createEnvironmentRequests, type EnvironmentRequests } from './environmentRequests.ts'
import type { WorkerEventHub } from './events.ts'
import { createFacts, type Facts } from './facts.ts'
import { type GatewaySession, type SessionTimes, sessionsOf } from './gatewaySession.ts'
import { createJobs, type Jobs } from './jobs.ts'
import type { Journal } from './journal.ts'
import { createLaneAnswers, type LaneAnswers } from './laneAnswers.ts'
import type { SessionsOf } from './questions.ts'
import type { JobEnd } from './runJob.ts'
import type { Sandbox } from './sandbox/sandbox.ts'
import { createSeats, type Seats } from './seats.ts'
import { createOwnSettlement, type OwnSettlement } from './settleMyself.ts'

export type WorkerTimes = {
  /** How often the worker looks after its own pay. */
  sweepEveryMs: number
  /** How often it asks the chain whether its key may sign. */
  operatorCheckEveryMs: number
  compactEveryMs: number
  /** How often it looks whether an epoch's seed is due. */
  seedCheckEveryMs: number
  /** How long a gateway has to close the commitments of a request on chain, before this one puts its own there. */
  laneFallbackMs: number
  /** How often an open case is looked at. */
  courtPollMs: number
  /** How long a drain leaves the settling of what ran to gateways. */
  drainPayMs: number
}

export type WorkerDeps = {
  domain: ProtocolDomain
  operator: Address
  executionKey: DigestSigner
  signing: Signing
  sandbox: Sandbox
  /** The bundle whose sha2-256 is `digest`. Throws `bundle_unavailable` or `bundle_mismatch`. */
  fetchBundle: (digest: Hex, signal: AbortSignal) => Promise<Uint8Array>
  journal: Journal
  coordinator: Coordinator
  operators: Operators
  lane: Lane
  /** What juries and audits need. Absent: the worker takes no part in them. */
  court?: CourtDutyParts
  /** Whether this worker captures the seeds of epochs when nobody else does. */
  capturesSeeds: boolean
  protocolTimes: ProtocolTimes
  /** WebSocket addresses, `ws(s)://…/v1/worker`. */
  gateways: readonly string[]
  /** Follows the requests that stand on chain until the signal fires. Absent: the confirmed lane is not served. */
  watchRequests?: (onRequest: (posted: PostedRequest) => Promise<void>, signal: AbortSignal) => Promise<void>
  /** How many jobs run at once. */
  capacity: number
  /** In atomic units of the settlement token. */
  minimumFee: bigint
  /** How long after a deadline a gateway may take to settle before this worker does it. */
  settlePatienceSeconds: number
  agent: string
  events: WorkerEventHub
  now: () => number
  times?: Partial<WorkerTimes>
  sessionTimes?: Partial<SessionTimes>
}

/** The times of a worker that is told nothing else. */
export const defaultTimes: WorkerTimes = {
  sweepEveryMs: 15_000,
  operatorCheckEveryMs: 30_000,
  compactEveryMs: 600_000,
  seedCheckEveryMs: 60_000,
  laneFallbackMs: 3_000,
  courtPollMs: 10_000,
  drainPayMs: 5_000,
}
const chainAsker = {}

/** What a worker is made of. */
export type WorkerParts = {
  deps: WorkerDeps
  facts: Facts
  jobs: Jobs
  own: OwnSettlement
  seats: Seats
  answers: LaneAnswers
  flow: CommitmentFlow
  lane: ConfirmedLane
  court: CourtDuty | undefined
  egress: EgressCalls
  environments: EnvironmentRequests
  sessions: GatewaySession[]
  stopping: AbortController
}

/** Puts the parts together. `standing`: what only the worker as a whole knows. */
export function createWorkerParts(
  deps: WorkerDeps,
  standing: () => Pick<LocalFacts, 'draining' | 'operatorActive'>,
): WorkerParts {
  const { events, protocolTimes, journal } = deps
  const sessions: GatewaySession[] = []
  const stopping = new AbortController()
  const emit = events.emit
  const seats = createSeats(deps)
  const sessionsWith = (requester: Address) => sessionsOf(sessions, requester)
  const isConnected = (requester: Address) => sessionsWith(requester).length > 0
  const facts = createFacts({ ...deps, seats, isConnected })
  const askersFirst: SessionsOf = (requester, requestId) =>
    sessionsOf(sessions, requester, (session) => jobs.isAskedBy(requestId, session))
  const egress = createEgressCalls({ ...deps, sessionsOf: askersFirst })
  const environments = createEnvironmentRequests({ ...deps, sessionsOf: askersFirst })
  events.on('job:settled', ({ requestIds }) => requestIds.forEach(facts.release))
  events.on('job:unpaid', ({ requestId }) => facts.release(requestId))
  const localFacts = ({ ticket, requestId }: JobOffer, running: number): LocalFacts => {
    const other = journal.requestOfSequence(ticket.requester, ticket.sequence)
    return {
      ...standing(),
      nowSeconds: Math.floor(deps.now() / 1_000),
      freeSlots: deps.capacity - running,
      epochSeconds: protocolTimes.epochSeconds,
      maximumTicketLifetimeSeconds: protocolTimes.maximumTicketLifetime,
      runtimeDigest: deps.sandbox.runtimeDigest,
      minimumFee: deps.minimumFee,
      sequenceTaken: other !== undefined && other !== requestId,
    }
  }
  const keepInput = async ({ requestId, ticket, salt, input }: JobOffer) =>
    deps.court?.archive.keep({ requestId, epoch: ticket.epoch, salt, input })
  const { egressOf } = egress
  const { environmentOf } = environments
  const jobs = createJobs({ ...deps, facts, emit, localFacts, keepInput, egressOf, environmentOf })
  const executionKey = deps.executionKey.address
  const answers = createLaneAnswers({ ...deps, executionKey, emit, signal: stopping.signal })
  const own = createOwnSettlement({
    ...deps,
    executionKey,
    laneAnswers: answers,
    emit,
    settlementGraceSeconds: protocolTimes.settlementGrace,
    patienceSeconds: deps.settlePatienceSeconds,
  })
  const { laneFallbackMs, courtPollMs } = { ...defaultTimes, ...deps.times }
  const flow = createCommitmentFlow({ ...deps, emit, answers, fallbackMs: laneFallbackMs, signal: stopping.signal })
  const lane: ConfirmedLane = createConfirmedLane({
    sessions: () => sessions,
    now: deps.now,
    lane: deps.lane,
    wideningBlocks: async ({ ticket }) => (await seats.seatFacts(ticket)).wideningBlocks,
    run: (offer) => runPosted(parts, offer),
  })
  const court =
    deps.court && createCourtDuty({ ...deps, ...deps.court, seats, emit, pollMs: courtPollMs, askInput: lane.askInput })
  const asked = { egress, environments }
  const parts: WorkerParts = { deps, facts, jobs, own, seats, answers, flow, lane, court, ...asked, sessions, stopping }
  return parts
}

async function runPosted(parts: WorkerParts, offer: JobOffer): Promise<PostedEnd> {
  const end = await parts.jobs.take(offer, chainAsker)
  if (end.type === 'cancelled') return 'done'
  if (end.type === 'declined') {
    if (end.reason === 'at-capacity') return 'busy'
    if (end.reason === 'not-seated') return 'not-seated'
    report(parts, offer.requestId, end)
    return 'done'
  }
  await parts.flow.committed(sessionsOf(parts.sessions, offer.ticket.requester), end.entry)
  return 'done'
}

/** Says why a request was not run. */
export function report(
  { deps }: Pick<WorkerParts, 'deps'>,
  requestId: Hex,
  end: Extract<JobEnd, { type: 'declined' }>,
): void {
  deps.events.emit('job:declined', { requestId, reason: end.reason })
  if (end.error !== undefined) deps.events.emit('worker:error', { during: `job ${requestId}`, error: end.error })
}
