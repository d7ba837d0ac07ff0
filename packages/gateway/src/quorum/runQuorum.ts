import { setTimeout as sleep } from 'node:timers/promises'
import { type DeclineReason, isResourceOutcome, LIMITS, type LimitsClass, PeerHostError } from '@peerhost/protocol'
import type { Job } from '../requests/request.ts'
import { type EligibleDeps, eligibleAmong } from '../seats/eligibleAmong.ts'
import { missingTrust } from '../seats/trustedOperators.ts'
import { type Execution, refusal, resourceProblem } from '../walk/dispatch.ts'
import type { WorkerLink, WorkerPool } from '../workers/workerLink.ts'
import { closeCommitSet } from './commitSet.ts'
import { findCommitSet } from './commitSetTable.ts'
import { type GatherDeps, gatherCommitments } from './gatherCommitments.ts'
import { gatherOpenings, type Opening, type OpeningDeps } from './gatherOpenings.ts'

export type QuorumDeps = GatherDeps &
  OpeningDeps &
  EligibleDeps & {
    workers: WorkerPool
    nowSeconds: () => number
    /** Makes a fresh ticket for the same job. */
    renew: (job: Job) => Promise<Job>
    /** Longest wait for enough workers to connect. */
    connectMs: number
  }

/** Runs of one job under fresh tickets: for workers that declined, vanished or did not open. */
const mostAttempts = 3
const pollMs = 100

/**
 * Runs a job on several workers at once: they commit, the set is closed and signed, they open. As many equal results as the
 * quorum asks are the answer; two that contradict each other are none.
 * Throws `result_conflict`, `no_worker`, `execution_timed_out`, `execution_out_of_memory`, `bundle_unavailable` or what all workers say.
 */
export async function runQuorum(deps: QuorumDeps, first: Job, limits: LimitsClass): Promise<Execution> {
  const declines: DeclineReason[] = []
  let strained: Opening | undefined
  let job = first
  for (let attempt = 0; attempt < mostAttempts; attempt++) {
    if (attempt > 0 || !(await isFresh(deps, job))) job = await deps.renew(job)
    const links = await enoughWorkers(deps, job)
    if (links.length < job.ticket.quorum) {
      // A fresh ticket would bring no other operators.
      if (await missingTrust(deps, job.ticket)) break
      continue
    }
    const gathered = await gatherCommitments(deps, job, links, limits)
    declines.push(...gathered.declines)
    if (gathered.committed.length < job.ticket.quorum) continue
    const set = await closeCommitSet(
      deps,
      job.requestId,
      gathered.committed.map(({ commitment }) => commitment),
    )
    if (!set) continue
    const agreement = await gatherOpenings(deps, job, set, gathered.committed, limits)
    if (agreement.type === 'conflict') throw resultConflict(agreement)
    if (agreement.type === 'agreed') return executionOf(job, set, agreement.openings)
    strained ??= agreement.openings.find(({ decoded }) => isResourceOutcome(decoded.outcome))
  }
  if (strained) throw resourceProblem(strained.decoded.outcome, 'Too few other workers completed it.')
  if (declines.length > 0) throw refusal(deps, job, declines)
  throw await tooFew(deps, job)
}

function executionOf(job: Job, commitSet: Execution['commitSet'], openings: readonly Opening[]): Execution {
  const [one] = openings
  if (!one) throw new TypeError('A quorum has at least one opening.')
  const { result, decoded } = one
  return { ...job, attestations: openings.map(({ attested }) => attested), commitSet, result, decoded }
}

/** Young enough for workers, and without a set from before a restart: a second one would cost our bond. */
async function isFresh(deps: QuorumDeps, { requestId, ticket }: Job): Promise<boolean> {
  if (deps.nowSeconds() - ticket.issuedAt > LIMITS.clockSkewSeconds - 5) return false
  return (await findCommitSet(deps.database, requestId)) === undefined
}

/** One connection for each operator that has the runtime and a seat. Waits a little for enough of them. */
async function enoughWorkers(deps: QuorumDeps, { ticket }: Job): Promise<WorkerLink[]> {
  const untilMs = Date.now() + deps.connectMs
  for (;;) {
    const eligible = await eligibleAmong(deps, ticket)
    const byOperator = new Map<string, WorkerLink>()
    for (const link of deps.workers.withRuntime(ticket.runtimeDigest))
      if (eligible.has(link) && !byOperator.has(link.operator)) byOperator.set(link.operator, link)
    const links = [...byOperator.values()].slice(0, LIMITS.quorumCommitments)
    // Who is drawn does not change by waiting.
    if (links.length >= ticket.quorum || eligible.isDrawn || Date.now() >= untilMs) return links
    await sleep(pollMs)
  }
}

async function tooFew(deps: QuorumDeps, { ticket }: Job): Promise<PeerHostError> {
  const { workers } = deps
  const missing = await missingTrust(deps, ticket)
  const connected = workers.withRuntime(ticket.runtimeDigest).length
  if (connected === 0 && workers.links().length > 0) return refusal({ workers }, { ticket }, [])
  return new PeerHostError('no_worker', 'Too few workers are there for this function’s quorum.', {
    details: [`Quorum: ${ticket.quorum}, connected: ${connected}.`, ...(missing ? [missing] : [])],
    hint: 'Repeat the request later. Nothing was charged.',
  })
}

function resultConflict({ first, second }: { first: Opening; second: Opening }): PeerHostError {
  return new PeerHostError('result_conflict', 'Two workers signed different results for this request.', {
    details: [`Operators: ${first.attested.operator}, ${second.attested.operator}.`],
    hint: 'Nothing was charged. Repeat the request; a function whose answers differ by themselves cannot have a quorum.',
  })
}
