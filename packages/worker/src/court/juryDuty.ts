import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  hashInput,
  hashResult,
  isPeerHostError,
  outcomeNumber,
  sameHex,
  seal,
  type Ticket,
  type VoteName,
  voteCommitment,
  voteNumber,
  votes,
  zeroBytes32,
} from '@peerhost/protocol'
import { type Address, bytesToHex, type Hex } from 'viem'
import type { CaseFacts, Court, OpenedCase } from '../chain/court.ts'
import type { WorkerEmit } from '../events.ts'
import type { Journal, JournalVote } from '../journal.ts'
import { JURY_RUNS } from '../sandbox/juryRuns.ts'
import { runVaried } from '../sandbox/runVaried.ts'
import type { Sandbox } from '../sandbox/sandbox.ts'
import { type RerunDeps, rerunOf } from './rerun.ts'

export type CaseInput = { salt: Hex; input: Uint8Array }

export type JuryDeps = RerunDeps & {
  court: Court
  operator: Address
  journal: Journal
  sandbox: Sandbox
  juryPhaseSeconds: number
  /** The input of a case, from wherever it can be had. Checked against the ticket here. */
  findInput: (opened: OpenedCase, signal: AbortSignal) => Promise<CaseInput | undefined>
  emit: WorkerEmit
  pollMs: number
}

type Finding =
  | { type: 'vote'; vote: VoteName; resultSeal: Hex; outcome: number; status: number }
  | { type: 'abstain'; reason: string }
  | { type: 'later' }

type Sitting = { opened: OpenedCase; jury: number; facts: CaseFacts; done: Set<string>; signal: AbortSignal }

/**
 * Attends one case from its opening to its end: votes when this operator is drawn, reveals, and concludes a jury when
 * nobody else does. The vote and its salt are in the journal before the commitment is sent, so that after a crash the same
 * vote is revealed.
 */
export async function attendCase(deps: JuryDeps, opened: OpenedCase, signal: AbortSignal): Promise<void> {
  const done = new Set<string>()
  while (!signal.aborted) {
    try {
      const facts = await deps.court.readCase(opened.caseId)
      const jury = juryOf(facts)
      if (jury === undefined) return
      await attendOnce(deps, { opened, jury, facts, done, signal })
    } catch (error) {
      if (signal.aborted) return
      deps.emit('worker:error', { during: `case ${opened.caseId}`, error })
    }
    await sleep(deps.pollMs, undefined, { signal }).catch(() => {})
  }
}

function juryOf({ status }: CaseFacts): number | undefined {
  if (status === 'first-jury') return 1
  return status === 'second-jury' ? 2 : undefined
}

async function attendOnce(deps: JuryDeps, sitting: Sitting): Promise<void> {
  const { facts } = sitting
  const now = await deps.court.readTime()
  if (now <= facts.phaseEndsAt) return commit(deps, sitting, now)
  if (now <= facts.phaseEndsAt + deps.juryPhaseSeconds) return reveal(deps, sitting)
  await conclude(deps, sitting)
}

async function commit(deps: JuryDeps, sitting: Sitting, now: number): Promise<void> {
  const { opened, jury, done, facts } = sitting
  const { caseId } = opened
  const step = `commit ${jury}`
  if (done.has(step) || !(await deps.court.isJuror(caseId, deps.operator))) return
  let vote = deps.journal.voteOf(caseId, jury)
  if (!vote) {
    const finding = await investigate(deps, sitting, now)
    if (finding.type === 'later') return
    if (finding.type === 'abstain') {
      done.add(step)
      deps.emit('jury:abstained', { caseId, reason: finding.reason })
      return
    }
    const { resultSeal, outcome, status } = finding
    const salt = bytesToHex(randomBytes(saltBytes))
    const keepUntil = facts.phaseEndsAt + deps.juryPhaseSeconds
    const kept = { caseId, jury, vote: voteNumber(finding.vote), resultSeal, outcome, status, salt, keepUntil }
    vote = await deps.journal.vote(kept)
  }
  const end = await deps.court.commitVote(caseId, voteCommitment({ ...vote, operator: deps.operator }, vote.salt))
  done.add(step)
  // Refused: it was committed before this process began.
  if (end.type === 'sent') deps.emit('jury:voted', { caseId, jury, vote: voteName(vote), transaction: end.transaction })
}

async function reveal(deps: JuryDeps, { opened: { caseId }, jury, done }: Sitting): Promise<void> {
  const step = `reveal ${jury}`
  const vote = deps.journal.voteOf(caseId, jury)
  if (done.has(step) || !vote) return
  const end = await deps.court.revealVote(caseId, vote)
  done.add(step)
  if (end.type === 'sent') deps.emit('jury:revealed', { caseId, jury, transaction: end.transaction })
}

/** Anyone may; a random wait leaves it to one. */
async function conclude(deps: JuryDeps, { opened: { caseId }, facts, signal }: Sitting): Promise<void> {
  await sleep(Math.random() * deps.pollMs, undefined, { signal })
  const now = await deps.court.readCase(caseId)
  if (now.status !== facts.status || now.phaseEndsAt !== facts.phaseEndsAt) return
  const end = await deps.court.concludeJury(caseId)
  if (end.type === 'sent') deps.emit('jury:concluded', { caseId, transaction: end.transaction })
}

const saltBytes = 32
/** An input is waited for until this part of the commit phase is left. */
const lastPart = 4

/** What this worker's own runs say. */
async function investigate(deps: JuryDeps, { opened, facts, signal }: Sitting, now: number): Promise<Finding> {
  const isLast = facts.phaseEndsAt - now <= deps.juryPhaseSeconds / lastPart
  const nothing: Finding = isLast ? unavailable : { type: 'later' }
  const found = await deps.findInput(opened, signal)
  if (!found || !isInputOf(opened.ticket, found)) return nothing
  try {
    const job = await rerunOf(deps, { ...opened, input: found.input }, signal)
    if (!job) return { type: 'abstain', reason: 'This worker does not have the runtime of the request.' }
    const runs = await runVaried(deps.sandbox, job, JURY_RUNS, signal)
    if (runs.type === 'differs') return { ...unavailable, vote: 'differs' }
    if (runs.type === 'unavailable') {
      if (isPeerHostError(runs.error) && runs.error.code === 'sandbox_unavailable') throw runs.error
      return unavailable
    }
    const { run } = runs
    const resultSeal = seal(hashResult(run.result), found.salt)
    return { type: 'vote', vote: 'result', resultSeal, outcome: outcomeNumber(run.outcome), status: run.status }
  } catch (error) {
    if (isPeerHostError(error) && error.code.startsWith('bundle_')) return nothing
    throw error
  }
}

const unavailable: Finding & { type: 'vote' } = {
  type: 'vote',
  vote: 'unavailable',
  resultSeal: zeroBytes32,
  outcome: 0,
  status: 0,
}

/** Whether these bytes are what the ticket was signed for. */
export function isInputOf(ticket: Ticket, { salt, input }: CaseInput): boolean {
  return sameHex(seal(hashInput(input), salt), ticket.inputSeal)
}

function voteName({ vote }: JournalVote): VoteName {
  return votes[vote - 1] ?? 'unavailable'
}
