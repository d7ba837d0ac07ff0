import type { Logger } from 'pino'
import type { Address } from 'viem'
import type { Chain } from '../chain/chain.ts'
import type { Conflict } from '../chain/courtChain.ts'
import type { Database } from '../database/database.ts'
import type { Job } from '../requests/request.ts'
import { keepTranscript } from '../requests/requestTable.ts'
import { insertConflict, listPendingConflicts, type PendingConflict, setConflict } from './conflictTable.ts'
import type { Opening } from './gatherOpenings.ts'

export type ConflictDeps = {
  database: Database
  chain: Pick<Chain, 'court'>
  log: Logger
  requester: Address
  times: { challengeWindow: number; juryPhase: number }
}

const mostAttempts = 8
const firstBackoffMs = 1_000
const longestBackoffMs = 60_000
/** Two juries of two phases each, and what lies between them. */
const juryPhases = 6

/** Two openings that contradict each other → evidence. Who opened first is accused; the second's signer is the opener. */
export function conflictOf(job: Job, first: Opening, second: Opening): Conflict {
  const signed = ({ attested: { attestation, signature } }: Opening) => ({ attestation, signature })
  return {
    ticket: job.ticket,
    ticketSignature: job.ticketSignature,
    first: signed(first),
    second: signed(second),
    operators: [first.attested.operator, second.attested.operator],
  }
}

/** Keeps a contradiction, and the bytes that a jury will ask for. */
export async function keepConflict(deps: Pick<ConflictDeps, 'database' | 'times'>, job: Job, conflict: Conflict) {
  const { database, times } = deps
  await insertConflict(database, { requestId: job.requestId, conflict, nowMs: Date.now() })
  const untilMs = (job.ticket.deadline + times.challengeWindow + juryPhases * times.juryPhase) * 1_000
  await keepTranscript(database, job, untilMs)
}

/** Brings contradictions before the court, where it judges the function. Elsewhere there is nobody to say who was right. */
export async function reportConflicts(deps: ConflictDeps): Promise<void> {
  const options = { requester: deps.requester, nowMs: Date.now() }
  for (const pending of await listPendingConflicts(deps.database, options)) {
    try {
      await reportOne(deps, pending)
    } catch (error) {
      deps.log.warn({ err: error, requestId: pending.requestId }, 'a conflict could not be reported')
      await again(deps, pending, String(error).slice(0, 300))
    }
  }
}

async function reportOne(deps: ConflictDeps, pending: PendingConflict): Promise<void> {
  const { requestId, conflict } = pending
  const { functionId, functionVersion, issuedAt } = conflict.ticket
  if (!(await deps.chain.court.isJudged(functionId, functionVersion, issuedAt))) {
    await setConflict(deps.database, requestId, { state: 'not-reported', reason: 'The function is not judged.' })
    return
  }
  const sent = await deps.chain.court.reportConflict(conflict)
  if (sent.type === 'mined') {
    deps.log.warn({ requestId, transaction: sent.transaction, operators: conflict.operators }, 'conflict reported')
    return setConflict(deps.database, requestId, { state: 'reported', transaction: sent.transaction })
  }
  // Somebody else was faster.
  if (sent.reason.startsWith('CaseExists'))
    return setConflict(deps.database, requestId, { state: 'reported', reason: sent.reason })
  return again(deps, pending, sent.reason)
}

async function again({ database, log }: ConflictDeps, { requestId, attempts }: PendingConflict, reason: string) {
  if (attempts + 1 >= mostAttempts) {
    log.error({ requestId, reason }, 'conflict given up')
    return setConflict(database, requestId, { state: 'not-reported', reason })
  }
  const nextMs = Date.now() + Math.min(firstBackoffMs * 2 ** attempts, longestBackoffMs)
  await setConflict(database, requestId, { state: 'pending', nextMs, reason })
}
