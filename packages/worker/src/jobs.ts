import type { Signing } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { acceptJob, checkIdentity, checkLocally, type JobOffer, type LocalFacts } from './acceptJob.ts'
import type { WorkerEmit } from './events.ts'
import type { Facts } from './facts.ts'
import { isPayable } from './laneAnswers.ts'
import { type JobDeps, type JobEnd, recall, runJob } from './runJob.ts'

export type JobsDeps = JobDeps & {
  signing: Signing
  facts: Facts
  emit: WorkerEmit
  localFacts: (offer: JobOffer, running: number) => LocalFacts
  /** Keeps an input for the audit that may ask for it. */
  keepInput?: (offer: JobOffer) => Promise<void>
}

/** Who asked for a job: a session, or the chain. Only compared. */
export type Asker = object

/** The jobs under way: each request once, however many ask for it. */
export type Jobs = {
  /** Over when the job is. Gives the journal's attestation at once when there is one. */
  take: (offer: JobOffer, asker: Asker) => Promise<JobEnd>
  /** The asker no longer needs it; the job ends when nobody else does. */
  cancel: (requestId: Hex, asker: Asker) => void
  /** Whether this asker waits for the job, which is under way. */
  isAskedBy: (requestId: Hex, asker: Asker) => boolean
  running: () => number
  /** Resolves when nothing runs. */
  idle: () => Promise<void>
  abort: () => void
}

type Running = { controller: AbortController; askers: Set<Asker>; end: Promise<JobEnd> }

export function createJobs(deps: JobsDeps): Jobs {
  const running = new Map<Hex, Running>()

  async function walk(offer: JobOffer, signal: AbortSignal): Promise<JobEnd> {
    const startedMs = deps.now()
    const { requestId, ticket } = offer
    const decision = acceptJob(offer, await deps.facts.chainFacts(offer))
    if (decision.type === 'declined') return decision
    signal.throwIfAborted()
    deps.emit('job:accepted', {
      requestId,
      functionId: ticket.functionId,
      lane: ticket.lane,
      running: running.size,
    })
    const end = await runJob(deps, decision.job, signal)
    if (end.type === 'attested' && end.ran) {
      const { outcome, status } = end.entry.attestation
      const tookMs = deps.now() - startedMs
      void deps.keepInput?.(offer).catch((error: unknown) => deps.emit('worker:error', { during: 'inputs', error }))
      const { usage } = end.entry
      deps.emit('job:attested', { requestId, functionId: ticket.functionId, outcome, status, usage, tookMs })
    }
    return end
  }

  /** Everything between the last check that needs no waiting and the end holds a slot. */
  function start(offer: JobOffer, asker: Asker): Promise<JobEnd> {
    const { requestId, ticket } = offer
    const controller = new AbortController()
    deps.facts.reserve(requestId, ticket)
    const end = walk(offer, controller.signal)
      .catch((error: unknown): JobEnd => {
        if (controller.signal.aborted) return { type: 'cancelled' }
        deps.emit('worker:error', { during: `job ${requestId}`, error })
        return { type: 'declined', reason: 'sandbox-failed', error }
      })
      .then((ended) => {
        running.delete(requestId)
        if (!isPaidLater(ended)) deps.facts.release(requestId)
        return ended
      })
    running.set(requestId, { controller, askers: new Set([asker]), end })
    return end
  }

  return {
    take: async (offer, asker) => {
      const wrong = await checkIdentity(deps.domain, deps.signing, offer)
      if (wrong) return { type: 'declined', reason: wrong }
      const known = await recall(deps.journal, offer.requestId)
      if (known) return known
      const underWay = running.get(offer.requestId)
      if (underWay) {
        underWay.askers.add(asker)
        return underWay.end
      }
      const reason = checkLocally(offer, deps.localFacts(offer, running.size))
      return reason ? { type: 'declined', reason } : start(offer, asker)
    },
    cancel: (requestId, asker) => {
      const underWay = running.get(requestId)
      if (!underWay?.askers.delete(asker) || underWay.askers.size > 0) return
      underWay.controller.abort()
      deps.emit('job:cancelled', { requestId })
    },
    isAskedBy: (requestId, asker) => running.get(requestId)?.askers.has(asker) ?? false,
    running: () => running.size,
    idle: async () => {
      while (running.size > 0) await Promise.all([...running.values()].map(({ end }) => end))
    },
    abort: () => {
      for (const { controller } of running.values()) controller.abort()
    },
  }
}

function isPaidLater(end: JobEnd): boolean {
  return end.type === 'attested' && isPayable(end.entry)
}
