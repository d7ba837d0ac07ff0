import { commitment, isResourceOutcome, type LimitsClass, sameHex } from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { ClosedCommitSet, Job } from '../requests/request.ts'
import { type AttestationDeps, type CheckedAttestation, checkAttestation } from '../walk/attestations.ts'
import type { Committed } from './gatherCommitments.ts'

/** An opening that holds: its attestation was checked, and it opens what the worker committed to. */
export type Opening = Extract<CheckedAttestation, { ok: true }>

/** What the openings of one set come to. */
export type Agreement =
  | { type: 'agreed'; openings: Opening[] }
  | { type: 'conflict'; first: Opening; second: Opening }
  | { type: 'missing'; openings: Opening[] }

export type OpeningDeps = AttestationDeps & {
  log: Logger
  noteAttestation: (checked: Opening) => boolean
  openGraceMs: number
  /** Two seated workers contradict each other, also when it shows after the answer. */
  onConflict: (job: Job, first: Opening, second: Opening) => void
}

/**
 * Shows the closed set to those who are in it and gathers their results until as many agree as the quorum asks. Who does
 * not open, or opens something else, is passed over. Openings that come later are still looked at: one that contradicts
 * the answer is evidence.
 */
export async function gatherOpenings(
  deps: OpeningDeps,
  job: Job,
  set: ClosedCommitSet,
  committed: readonly Committed[],
  limits: LimitsClass,
): Promise<Agreement> {
  const { promise, resolve } = Promise.withResolvers<Agreement>()
  const openings: Opening[] = []
  let outstanding = committed.length
  let isConflict = false

  const take = (opening: Opening): void => {
    const rival = openings.find((other) => isContradiction(other, opening))
    openings.push(opening)
    if (rival) {
      if (!isConflict) deps.onConflict(job, rival, opening)
      isConflict = true
      resolve({ type: 'conflict', first: rival, second: opening })
      return
    }
    const agreeing = openings.filter((other) => isSame(other, opening))
    if (agreeing.length >= job.ticket.quorum) resolve({ type: 'agreed', openings: inOrder(agreeing, committed) })
  }
  const open = async (one: Committed): Promise<void> => {
    const opening = await openOne(deps, job, set, one, limits.timeoutMs + deps.openGraceMs)
    if (opening) take(opening)
  }
  for (const one of committed)
    open(one)
      .catch((error: unknown) => deps.log.error({ err: error, requestId: job.requestId }, 'an opening failed'))
      .finally(() => {
        outstanding--
        if (outstanding === 0) resolve({ type: 'missing', openings })
      })
  return promise
}

async function openOne(
  deps: OpeningDeps,
  job: Job,
  set: ClosedCommitSet,
  { link, commitment: committed }: Committed,
  timeoutMs: number,
): Promise<Opening | undefined> {
  const { requestId } = job
  const { executionKey, operator } = link
  const { commitments, signature } = set
  const reply = await link.open({ type: 'open', requestId, commitments: [...commitments], signature }, timeoutMs)
  const about = { requestId, operator }
  if (reply.type !== 'attested') {
    deps.log.warn({ ...about, reply: reply.type }, 'worker did not open')
    return undefined
  }
  const { commitmentSalt } = reply.message
  const checked = await checkAttestation(deps, job, { executionKey, operator }, reply.message)
  const refuse = (reason: string): undefined => {
    deps.log.error({ ...about, reason }, 'opening refused')
    return undefined
  }
  if (!checked.ok) return refuse(checked.reason)
  const { resultSeal } = checked.attested.attestation
  const opens =
    commitmentSalt !== undefined && sameHex(commitment(requestId, executionKey, resultSeal, commitmentSalt), committed)
  if (!opens) return refuse('It is not what the worker committed to.')
  if (!deps.noteAttestation(checked)) return refuse('It signed another result before.')
  return { ...checked, attested: { ...checked.attested, commitmentSalt } }
}

/** The order of commitment, which is the order of payment. */
function inOrder(openings: readonly Opening[], committed: readonly Committed[]): Opening[] {
  return committed.flatMap(({ link }) =>
    openings.filter(({ attested }) => sameHex(attested.executionKey, link.executionKey)),
  )
}

function isSame({ attested: { attestation: a } }: Opening, { attested: { attestation: b } }: Opening): boolean {
  return sameHex(a.resultSeal, b.resultSeal) && a.outcome === b.outcome && a.status === b.status
}

/** A machine that ran out of time or memory contradicts nobody. */
function isContradiction(a: Opening, b: Opening): boolean {
  return !isSame(a, b) && !isResourceOutcome(a.decoded.outcome) && !isResourceOutcome(b.decoded.outcome)
}
