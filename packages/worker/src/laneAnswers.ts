import { setTimeout as sleep } from 'node:timers/promises'
import { isResourceOutcome, LIMITS, outcomeOf, zeroBytes32 } from '@peerhost/protocol'
import { type Address, bytesToHex, type Hex } from 'viem'
import type { SignedCommitSet } from './chain/coordinator.ts'
import type { Lane, LaneEnd, Opening, PostedFacts } from './chain/lane.ts'
import { commitmentOf } from './commitments.ts'
import type { WorkerEmit } from './events.ts'
import type { Journal, JournalEntry } from './journal.ts'

export type LaneAnswersDeps = {
  lane: Lane
  operator: Address
  executionKey: Address
  journal: Journal
  emit: WorkerEmit
  /** Fires when the worker stops. */
  signal: AbortSignal
  /** How often a turn that has not come is asked for again. */
  turnRetryMs?: number
}

/**
 * Brings journaled results of the confirmed lane to the chain: against the requester's commit set where there is one,
 * else by a commitment that stands on chain and its opening. Whatever the process did before it stopped, the chain and
 * the journal say how to go on.
 */
export type LaneAnswers = {
  /** Goes as far as it can now. Each request once at a time; never throws. */
  bring: (entry: JournalEntry) => Promise<void>
  /** Resolves when nothing is on its way to the chain. */
  idle: () => Promise<void>
}

const defaultTurnRetryMs = 250
const mostOutputBytes = LIMITS.calldataInputBytes

export function createLaneAnswers(deps: LaneAnswersDeps): LaneAnswers {
  const underWay = new Map<Hex, Promise<void>>()
  return {
    bring: (entry) => {
      const { requestId } = entry
      const running = underWay.get(requestId)
      if (running || entry.settledBy || !isPayable(entry)) return running ?? Promise.resolve()
      const promise = bringOnce(deps, entry)
        .catch((error: unknown) => {
          if (!deps.signal.aborted) deps.emit('settlement:failed', { requestIds: [requestId], error })
        })
        .finally(() => underWay.delete(requestId))
      underWay.set(requestId, promise)
      return promise
    },
    idle: async () => {
      await Promise.all(underWay.values())
    },
  }
}

/** One signature never finalises an outcome that depends on the machine; with a quorum a second one agreed. */
export function isPayable({ attestation, ticket }: JournalEntry): boolean {
  return ticket.quorum > 1 || !isResourceOutcome(outcomeOf(attestation.outcome))
}

async function bringOnce(deps: LaneAnswersDeps, entry: JournalEntry): Promise<void> {
  const { lane, journal } = deps
  const posted = await lane.readPosted(entry.requestId)
  if (posted.status === 'none') return
  if (posted.status === 'settled' || posted.status === 'expired')
    return journal.markSettled([entry.requestId], zeroBytes32)
  if (posted.status === 'agreed') return finalise(deps, entry, posted)
  const set = entry.commitSet
  if (set && entry.ticket.quorum === 1 && isIn(deps, entry, set)) {
    const opening = await openingOf(deps, entry, posted)
    return untilTurn(deps, entry, () => lane.submit(opening, set))
  }
  await commitAndOpen(deps, entry, posted)
}

function isIn({ executionKey }: LaneAnswersDeps, entry: JournalEntry, { commitments }: SignedCommitSet): boolean {
  const mine = commitmentOf(executionKey, entry)?.toLowerCase()
  return commitments.some((commitment) => commitment.toLowerCase() === mine)
}

async function finalise(deps: LaneAnswersDeps, entry: JournalEntry, posted: PostedFacts): Promise<void> {
  const opening = await openingOf(deps, entry, posted)
  const end = await deps.lane.finalise(opening, posted.hasCallback)
  // Too early, or a dispute is open: the next round asks again.
  if (end.type === 'sent') await note(deps, entry, end)
}

async function commitAndOpen(deps: LaneAnswersDeps, entry: JournalEntry, posted: PostedFacts): Promise<void> {
  const { lane, operator, executionKey, emit } = deps
  const { requestId, ticket } = entry
  const mine = commitmentOf(executionKey, entry)
  const standing = await lane.readCommitment(requestId, operator)
  if (!mine || standing === 'opened') return
  if (standing === 'none') {
    const end = await lane.commit(ticket, mine)
    // It has all the commitments it takes, or its time is over.
    if (end.type === 'refused') return note(deps, entry, end)
    emit('lane:committed', { requestId, transaction: end.transaction })
  }
  const opening = await openingOf(deps, entry, posted)
  await untilTurn(deps, entry, () => lane.open(opening))
}

/** Asks again, block by block, as long as it is another one's turn. */
async function untilTurn(deps: LaneAnswersDeps, entry: JournalEntry, act: () => Promise<LaneEnd>): Promise<void> {
  for (;;) {
    const end = await act()
    if (end.type === 'sent' || end.reason !== 'NotYourTurn') return note(deps, entry, end)
    await sleep(deps.turnRetryMs ?? defaultTurnRetryMs, undefined, { signal: deps.signal })
  }
}

/** The result itself is shown only where the request was public too. */
async function openingOf(
  { journal }: LaneAnswersDeps,
  entry: JournalEntry,
  { hasCallback }: PostedFacts,
): Promise<Opening> {
  const { ticket, attestation, attestationSignature: signature, commitmentSalt = zeroBytes32 } = entry
  const result = entry.publicResult && entry.inputSalt ? await journal.readResult(entry.requestId) : undefined
  const isShown = result !== undefined && (hasCallback || result.length <= mostOutputBytes)
  return {
    ticket,
    attestation,
    signature,
    commitmentSalt,
    inputSalt: isShown && entry.inputSalt ? entry.inputSalt : zeroBytes32,
    output: isShown ? bytesToHex(result) : '0x',
  }
}

async function note(
  { lane, journal, emit }: LaneAnswersDeps,
  { requestId }: JournalEntry,
  end: LaneEnd,
): Promise<void> {
  if (end.type === 'refused') {
    const { status } = await lane.readPosted(requestId)
    if (status === 'settled' || status === 'expired') return journal.markSettled([requestId], zeroBytes32)
    emit('lane:refused', { requestId, reason: end.reason })
    return
  }
  const { transaction, isPaid } = end
  emit('settlement:sent', { transaction, settled: isPaid ? 1 : 0, skipped: 0 })
  if (!isPaid) return
  await journal.markSettled([requestId], transaction)
  emit('job:settled', { requestIds: [requestId], transaction })
}
