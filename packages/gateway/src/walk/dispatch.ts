import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CanonicalResult,
  type DeclineReason,
  type ErrorCode,
  isResourceOutcome,
  LIMITS,
  type LimitsClass,
  type Outcome,
  PeerHostError,
  toBase64,
} from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { ExecutedJob, Job } from '../requests/request.ts'
import { type Eligible, type EligibleDeps, eligibleAmong } from '../seats/eligibleAmong.ts'
import { missingTrust } from '../seats/trustedOperators.ts'
import type { WorkerLink, WorkerPool } from '../workers/workerLink.ts'
import { isTemporaryDecline } from '../workers/workerSession.ts'
import { type AttestationDeps, type CheckedAttestation, checkAttestation } from './attestations.ts'

/** A job that a worker ran, with the result decoded. */
export type Execution = ExecutedJob & { decoded: CanonicalResult }

export type DispatchDeps = AttestationDeps &
  EligibleDeps & {
    workers: WorkerPool
    log: Logger
    nowSeconds: () => number
    /** Makes a fresh ticket for a job whose ticket has become too old for workers to take. */
    renew: (job: Job) => Promise<Job>
    /** Remembers what a key signed about a request; false when it signed something else before. */
    noteAttestation: (checked: Extract<CheckedAttestation, { ok: true }>) => boolean
    /** Beyond the execution's own limit: for queueing, fetching code and starting a container. */
    dispatchGraceMs: number
    /** Longest wait for a worker to become free. */
    queueMs: number
    /** Longest wait for a worker with the runtime to connect. */
    connectMs: number
  }

type Attempts = {
  isTried: (link: WorkerLink) => boolean
  tried: Set<WorkerLink>
  /** Those of the tried that were only busy, and until when they are worth asking again. */
  busy: Set<WorkerLink>
  busyUntilMs: number
  declines: DeclineReason[]
  resource: (Extract<CheckedAttestation, { ok: true }> & { job: Job }) | undefined
  /** How often a fresh ticket was made because nobody who is connected has a seat for the old one. */
  redraws: number
}

/** A draw misses all connected workers of a large network now and then, but not so often in a row. */
const mostRedraws = 4

/**
 * Gives a job to workers, one after another, until one gives a result that holds. Who declines, disconnects, is late or
 * sends a result that does not check is passed over. A resource outcome depends on the machine: another operator has to
 * agree, and if that one completes, its result counts.
 * Throws `execution_timed_out`, `execution_out_of_memory`, `no_worker`, `runtime_unavailable`, `bundle_unavailable` or what all workers say.
 */
export async function dispatch(deps: DispatchDeps, first: Job, limits: LimitsClass): Promise<Execution> {
  const tried = new Set<WorkerLink>()
  const attempts: Attempts = {
    tried,
    busy: new Set(),
    busyUntilMs: Date.now() + deps.queueMs,
    declines: [],
    resource: undefined,
    redraws: 0,
    isTried: (link) => tried.has(link) || link.operator === attempts.resource?.attested.operator,
  }
  const endMs = Date.now() + deps.queueMs + limits.timeoutMs * 2 + deps.dispatchGraceMs
  let job = first
  while (Date.now() < endMs) {
    if (deps.nowSeconds() - job.ticket.issuedAt > LIMITS.clockSkewSeconds - 5) job = await deps.renew(job)
    const eligible = await eligibleAmong(deps, job.ticket)
    if (eligible.isDrawn && attempts.redraws < mostRedraws && !hasUntried(deps, attempts, eligible)) {
      // A fresh ticket has another committee, but no other operators to draw it from.
      if (await missingTrust(deps, job.ticket, deps.connectMs)) break
      attempts.redraws++
      job = await deps.renew(job)
      continue
    }
    const link = await nextWorker(deps, job, attempts, eligible)
    if (!link) break
    const checked = await runOn(deps, job, link, limits, attempts)
    if (!checked) continue
    if (!isResourceOutcome(checked.decoded.outcome)) {
      const { attested, result, decoded } = checked
      return { ...job, attestations: [attested], result, decoded }
    }
    if (attempts.resource) throw resourceProblem(attempts.resource.decoded.outcome, 'Two workers agree.')
    attempts.resource = { ...checked, job }
  }
  if (attempts.resource)
    throw resourceProblem(attempts.resource.decoded.outcome, 'No second worker was there to agree.')
  // It only explains a refusal: what the workers said counts.
  const missing = await missingTrust(deps, job.ticket).catch(() => undefined)
  throw refusal(deps, job, attempts.declines, missing ? [missing] : [])
}

/** With a drawn committee: whether one of it is connected and was not asked yet. */
function hasUntried(deps: DispatchDeps, attempts: Attempts, eligible: Eligible): boolean {
  return deps.workers.links().some((link) => eligible.has(link) && (!attempts.isTried(link) || attempts.busy.has(link)))
}

async function nextWorker(
  deps: DispatchDeps,
  job: Job,
  attempts: Attempts,
  eligible: Eligible,
): Promise<WorkerLink | undefined> {
  const { runtimeDigest } = job.ticket
  const except = (link: WorkerLink) => attempts.isTried(link) || !eligible.has(link)
  const untried = deps.workers.links().some((link) => !except(link))
  const wait = untried && deps.workers.supports(runtimeDigest) ? deps.queueMs : deps.connectMs
  const link = await deps.workers.acquire({
    runtimeDigest,
    except,
    waitMs: attempts.resource ? 0 : wait,
  })
  if (link || attempts.resource || attempts.busy.size === 0 || Date.now() > attempts.busyUntilMs) return link
  // Everyone is busy: again in a moment, with those who said so. Who failed otherwise is not asked twice.
  await sleep(busyPauseMs)
  for (const busy of attempts.busy) attempts.tried.delete(busy)
  attempts.busy.clear()
  return deps.workers.acquire({ runtimeDigest, except, waitMs: deps.connectMs })
}

const busyPauseMs = 100

async function runOn(
  deps: DispatchDeps,
  job: Job,
  link: WorkerLink,
  limits: LimitsClass,
  attempts: Attempts,
): Promise<Extract<CheckedAttestation, { ok: true }> | undefined> {
  const { requestId, ticket, ticketSignature: signature, salt } = job
  const input = toBase64(job.input)
  attempts.tried.add(link)
  const message = { type: 'job', requestId, ticket, signature, salt, input } as const
  const reply = await link.run(message, limits.timeoutMs + deps.dispatchGraceMs)
  const about = { requestId, operator: link.operator }
  if (reply.type === 'declined') {
    attempts.declines.push(reply.reason)
    if (isTemporaryDecline(reply.reason)) attempts.busy.add(link)
    deps.log.info({ ...about, reason: reply.reason }, 'worker declined')
    return undefined
  }
  if (reply.type !== 'attested') {
    deps.log.warn({ ...about, reply: reply.type }, 'worker gave no result')
    return undefined
  }
  const { executionKey, operator } = link
  const checked = await checkAttestation(deps, job, { executionKey, operator }, reply.message)
  if (checked.ok && deps.noteAttestation(checked)) return checked
  const reason = checked.ok ? 'It signed another result before.' : checked.reason
  deps.log.error({ ...about, reason }, 'attestation refused')
  return undefined
}

/** Nobody is to blame, and nobody pays. */
export function resourceProblem(outcome: Outcome, detail: string): PeerHostError {
  const isTime = outcome === 'timed-out'
  return new PeerHostError(
    isTime ? 'execution_timed_out' : 'execution_out_of_memory',
    isTime ? 'The execution did not end within its time.' : 'The execution needed more memory than it may.',
    { details: [detail], hint: 'Nothing was charged. A larger limits class may help.' },
  )
}

const declineCodes: Partial<Record<DeclineReason, ErrorCode>> = {
  'credit-exhausted': 'credit_exhausted',
  'bundle-unavailable': 'bundle_unavailable',
  'bundle-mismatch': 'bundle_mismatch',
  'runtime-unsupported': 'runtime_unavailable',
  'limits-class-unknown': 'runtime_unavailable',
}

/** Why nobody ran it, in the words of those who declined. */
export function refusal(
  { workers }: Pick<DispatchDeps, 'workers'>,
  { ticket }: Pick<Job, 'ticket'>,
  declines: readonly DeclineReason[],
  more: readonly string[] = [],
): PeerHostError {
  const details = [...new Set(declines)].map((reason) => `A worker declined: ${reason}.`).concat(more)
  const [reason] = declines
  const code = declines.every((one) => one === reason) && reason !== undefined ? declineCodes[reason] : undefined
  if (code === 'credit_exhausted') return creditExhausted(details)
  if (code !== undefined) return new PeerHostError(code, 'No worker can run this deployment.', { details })
  if (workers.links().length > 0 && !workers.supports(ticket.runtimeDigest))
    return new PeerHostError('runtime_unavailable', 'No connected worker has the runtime of this deployment.', {
      details: [`Runtime: ${ticket.runtimeDigest}`],
      hint: 'Deploy it again with a current runtime.',
    })
  return new PeerHostError('no_worker', 'No worker can take the job now.', {
    details,
    hint: 'Repeat the request later.',
  })
}

/** The owner's credit does not cover the fee; the caller can do nothing about it, the owner can. */
export function creditExhausted(details: readonly string[]): PeerHostError {
  return new PeerHostError('credit_exhausted', 'The credit line of the function’s owner does not cover the fee.', {
    details,
    hint: 'The owner adds credit: peerhost deploy --credit. Nothing was charged.',
  })
}
