import { setTimeout as sleep } from 'node:timers/promises'
import {
  type DigestSigner,
  fromBase64,
  type GatewayMessage,
  type ProtocolDomain,
  type ProtocolTimes,
  type Signing,
  toBase64,
} from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { JobOffer, LocalFacts } from './acceptJob.ts'
import type { Coordinator } from './chain/coordinator.ts'
import type { Lane, PostedRequest } from './chain/lane.ts'
import type { Operators } from './chain/operators.ts'
import { collectPay } from './collectPay.ts'
import { type CommitmentFlow, createCommitmentFlow } from './commitmentFlow.ts'
import { needsCommitment } from './commitments.ts'
import { type ConfirmedLane, createConfirmedLane, type PostedEnd } from './confirmedLane.ts'
import { type CourtDuty, type CourtDutyParts, createCourtDuty } from './court/courtDuty.ts'
import { createEgressCalls, type EgressCalls } from './egressCalls.ts'
import type { WorkerEventHub, WorkerEvents } from './events.ts'
import { createFacts, type Facts } from './facts.ts'
import {
  createGatewaySession,
  type GatewaySession,
  type SessionDeps,
  type SessionTimes,
  sessionsOf,
} from './gatewaySession.ts'
import { createJobs, type Jobs } from './jobs.ts'
import type { Journal } from './journal.ts'
import { createLaneAnswers, isPayable, type LaneAnswers } from './laneAnswers.ts'
import type { JobEnd } from './runJob.ts'
import type { Sandbox } from './sandbox/sandbox.ts'
import { createSeats, type Seats } from './seats.ts'
import { keepSeeds } from './seeds.ts'
import { createOwnSettlement, type OwnSettlement } from './settleMyself.ts'
import { signRoll } from './signRoll.ts'

/**
 * idle      made, not started.
 * running   connected or connecting to its gateways, takes jobs.
 * draining  finishes what runs, declines what comes, still answers from its journal and signs rolls.
 * stopped   no job runs, no connection is open. It does not start again.
 */
export type WorkerState = 'idle' | 'running' | 'draining' | 'stopped'

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

export type Worker = {
  state: () => WorkerState
  /** How many jobs run now. */
  running: () => number
  /** How many requests were run and are not settled yet. */
  owed: () => number
  /** Opens the sessions and begins. Resolves when the chain was asked for the operator; sessions follow by themselves. */
  start: () => Promise<void>
  /** Finishes what runs, then stops. */
  drain: () => Promise<void>
  /** Aborts what runs and stops. Safe to call in any state, also during `drain`. */
  stop: () => Promise<void>
}

const defaultTimes: WorkerTimes = {
  sweepEveryMs: 15_000,
  operatorCheckEveryMs: 30_000,
  compactEveryMs: 600_000,
  seedCheckEveryMs: 60_000,
  laneFallbackMs: 3_000,
  courtPollMs: 10_000,
  drainPayMs: 5_000,
}
const seatRetryMs = 1_000
const stopWithinMs = 5_000
const chainAsker = {}

type Parts = {
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
  sessions: GatewaySession[]
  stopping: AbortController
}

export function createWorker(deps: WorkerDeps): Worker {
  const { events } = deps
  let state: WorkerState = 'idle'
  let operatorActive = false
  let stopped: Promise<void> | undefined
  const background: Promise<void>[] = []
  const isTaking = () => state === 'running' && !deps.journal.isBroken()
  const parts = createParts(deps, () => ({ draining: !isTaking(), operatorActive }))
  const { jobs, sessions, stopping } = parts
  const capacity = () => (isTaking() && operatorActive ? deps.capacity : 0)
  let announced = capacity()

  function announce(): void {
    if (capacity() === announced) return
    announced = capacity()
    for (const session of sessions) session.send({ type: 'capacity', capacity: announced })
  }

  async function checkOperator(): Promise<void> {
    await deps.journal.mend()
    const now = Math.floor(deps.now() / 1_000)
    const active = await deps.operators.isActive(deps.operator, deps.executionKey.address, now)
    if (active !== operatorActive) {
      operatorActive = active
      events.emit('operator:active', { active })
    }
    announce()
  }

  async function shutDown(): Promise<void> {
    const aborted = jobs.running()
    state = 'stopped'
    jobs.abort()
    stopping.abort()
    await jobs.idle()
    await Promise.all(sessions.map((session) => session.close()))
    // A transaction that waits for its block is found again after the next start.
    await Promise.race([Promise.all(background), sleep(stopWithinMs, undefined, { ref: false })])
    events.emit('worker:stopped', { aborted })
  }

  return {
    state: () => state,
    running: jobs.running,
    owed: () => deps.journal.entries().filter((entry) => !entry.settledBy && isPayable(entry)).length,
    start: async () => {
      if (state !== 'idle') return
      state = 'running'
      for (const entry of deps.journal.entries())
        if (!entry.settledBy && isPayable(entry)) parts.facts.reserve(entry.requestId, entry.ticket)
      await checkOperator()
      for (const url of deps.gateways) sessions.push(createGatewaySession(sessionDeps(parts, capacity), url))
      background.push(...startBackground(parts, checkOperator, () => operatorActive))
      events.emit('worker:started', introduce(deps))
    },
    drain: async () => {
      if (state === 'running') {
        state = 'draining'
        events.emit('worker:draining', { running: jobs.running() })
        announce()
        await finish(parts)
      }
      stopped ??= shutDown()
      await stopped
    },
    stop: () => {
      stopped ??= shutDown()
      return stopped
    },
  }
}

function sessionDeps(parts: Parts, capacity: () => number): SessionDeps {
  const { domain, executionKey, agent, sandbox, events, sessionTimes } = parts.deps
  return {
    domain,
    executionKey,
    agent,
    runtimeDigests: [sandbox.runtimeDigest],
    capacity,
    emit: events.emit,
    onMessage: (session, message) => void receive(parts, session, message),
    onClosed: parts.egress.lost,
    times: sessionTimes ?? {},
  }
}

/** What must be over before the connections end. */
async function finish({ deps, jobs, answers, own, stopping }: Parts): Promise<void> {
  const { drainPayMs } = { ...defaultTimes, ...deps.times }
  await jobs.idle()
  await answers.idle()
  await collectPay({ ...deps, own, signal: stopping.signal }, drainPayMs)
  await flushed()
}

function introduce({ operator, executionKey, sandbox, capacity }: WorkerDeps): WorkerEvents['worker:started'] {
  return { operator, executionKey: executionKey.address, runtimeDigest: sandbox.runtimeDigest, capacity }
}

/** What goes on beside the jobs, until the worker stops. */
function startBackground(parts: Parts, checkOperator: () => Promise<void>, isSeated: () => boolean): Promise<void>[] {
  const { deps, own, stopping } = parts
  const times = { ...defaultTimes, ...deps.times }
  const nowSeconds = () => Math.floor(deps.now() / 1_000)
  const compact = async () => {
    const dropped = await deps.journal.compact(nowSeconds())
    if (dropped > 0) deps.events.emit('journal:compacted', { dropped })
  }
  return [
    every(
      parts,
      () => times.sweepEveryMs,
      'own settlement',
      () => own.sweep(nowSeconds()),
    ),
    // Soon again while the chain does not seat it: its clock may be a little behind the registration's block. Or while the
    // disk is full.
    every(
      parts,
      () => (isSeated() && !deps.journal.isBroken() ? times.operatorCheckEveryMs : seatRetryMs),
      'operator check',
      checkOperator,
    ),
    every(parts, () => times.compactEveryMs, 'journal compaction', compact),
    ...(deps.capturesSeeds
      ? [
          every(
            parts,
            () => times.seedCheckEveryMs,
            'epoch seeds',
            () => keepSeeds(parts),
          ),
        ]
      : []),
    ...(parts.court ? parts.court.start(stopping.signal) : []),
    ...(deps.watchRequests ? [deps.watchRequests((posted) => takePosted(parts, posted), stopping.signal)] : []),
  ]
}

/** What the last jobs sent must have left the process before its connections end. */
function flushed(): Promise<void> {
  return sleep(0)
}

function createParts(deps: WorkerDeps, standing: () => Pick<LocalFacts, 'draining' | 'operatorActive'>): Parts {
  const { events, protocolTimes, journal } = deps
  const sessions: GatewaySession[] = []
  const stopping = new AbortController()
  const emit = events.emit
  const seats = createSeats(deps)
  const isConnected = (requester: Address) => sessionsOf(sessions, requester).length > 0
  const facts = createFacts({ ...deps, seats, isConnected })
  const egress = createEgressCalls({ ...deps, sessionsOf: (requester) => sessionsOf(sessions, requester) })
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
  const jobs = createJobs({ ...deps, facts, emit, localFacts, keepInput, egressOf: egress.egressOf })
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
  const parts: Parts = { deps, facts, jobs, own, seats, answers, flow, lane, court, egress, sessions, stopping }
  return parts
}

/** One message of a gateway. Never throws. */
async function receive(parts: Parts, session: GatewaySession, message: GatewayMessage): Promise<void> {
  const { deps, jobs, own, lane, flow, egress } = parts
  try {
    if (message.type === 'job') await takeJob(parts, session, message)
    if (message.type === 'open') {
      const { commitments, signature } = message
      await flow.takeSet(session, lowerCase(message.requestId), { commitments, signature })
    }
    if (message.type === 'cancel') jobs.cancel(lowerCase(message.requestId), session)
    if (message.type === 'roll') await roll(deps, session, message)
    if (message.type === 'settled') await own.noteSettled(message.transaction, message.requestIds.map(lowerCase))
    if (message.type === 'egress-answer' || message.type === 'egress-failed')
      egress.answer(session, { ...message, requestId: lowerCase(message.requestId) })
    if (message.type === 'input-given' || message.type === 'input-unknown')
      lane.answer({ ...message, requestId: lowerCase(message.requestId) })
  } catch (error) {
    deps.events.emit('worker:error', { during: `message “${message.type}” of ${session.url}`, error })
  }
}

async function takeJob(parts: Parts, session: GatewaySession, message: Extract<GatewayMessage, { type: 'job' }>) {
  const { deps } = parts
  const { ticket, signature, salt } = message
  const requestId = lowerCase(message.requestId)
  const input = fromBase64(message.input)
  const offer: JobOffer = { requestId, ticket, signature, salt, input, source: 'gateway', publicInput: false }
  const end = await parts.jobs.take(offer, session)
  if (end.type === 'cancelled') return
  if (end.type === 'declined') {
    report(parts, requestId, end)
    session.send({ type: 'declined', requestId, reason: end.reason })
    return
  }
  if (!end.ran) deps.events.emit('job:resent', { requestId })
  if (needsCommitment(ticket)) return parts.flow.committed([session], end.entry)
  sendAttested(session, end)
}

function takePosted({ lane, stopping }: Parts, posted: PostedRequest): Promise<void> {
  return lane.take(posted, stopping.signal)
}

async function runPosted(parts: Parts, offer: JobOffer): Promise<PostedEnd> {
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

function report({ deps }: Pick<Parts, 'deps'>, requestId: Hex, end: Extract<JobEnd, { type: 'declined' }>): void {
  deps.events.emit('job:declined', { requestId, reason: end.reason })
  if (end.error !== undefined) deps.events.emit('worker:error', { during: `job ${requestId}`, error: end.error })
}

function sendAttested(session: GatewaySession, { entry, result }: Extract<JobEnd, { type: 'attested' }>): void {
  const { requestId, attestation, attestationSignature: signature, usage } = entry
  session.send({ type: 'attested', requestId, attestation, signature, result: toBase64(result), usage })
}

async function roll(
  deps: WorkerDeps,
  session: GatewaySession,
  { batchId, requestIds }: Extract<GatewayMessage, { type: 'roll' }>,
): Promise<void> {
  const signed = await signRoll(deps, requestIds.map(lowerCase))
  if (signed.type === 'refused') {
    deps.events.emit('roll:refused', { batchId, reason: signed.reason })
    session.send({ type: 'roll-refused', batchId, reason: signed.reason })
    return
  }
  deps.events.emit('roll:signed', { batchId, count: requestIds.length })
  session.send({ type: 'rolled', batchId, signature: signed.signature })
}

/** One spelling per id: the journal finds what was signed by it. */
function lowerCase(hex: Hex): Hex {
  return hex.toLowerCase() as Hex
}

/** Repeats an action, never beside itself, until the worker stops. */
async function every(
  { deps, stopping }: Parts,
  everyMs: () => number,
  during: string,
  action: () => Promise<void>,
): Promise<void> {
  const { signal } = stopping
  while (!signal.aborted) {
    await sleep(everyMs(), undefined, { signal }).catch(() => {})
    if (signal.aborted) return
    await action().catch((error: unknown) => deps.events.emit('worker:error', { during, error }))
  }
}
