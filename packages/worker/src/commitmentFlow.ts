import { setTimeout as sleep } from 'node:timers/promises'
import {
  type DigestSigner,
  laneNumber,
  type ProtocolDomain,
  type Signing,
  toBase64,
  zeroBytes32,
} from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { Coordinator, SignedCommitSet } from './chain/coordinator.ts'
import { signCommitment } from './commitments.ts'
import { takeCommitSet } from './commitSets.ts'
import type { WorkerEmit } from './events.ts'
import type { GatewaySession } from './gatewaySession.ts'
import type { Journal, JournalEntry } from './journal.ts'
import type { LaneAnswers } from './laneAnswers.ts'

export type CommitmentFlowDeps = {
  domain: ProtocolDomain
  executionKey: DigestSigner
  signing: Signing
  journal: Journal
  coordinator: Pick<Coordinator, 'reportCommitSets'>
  answers: LaneAnswers
  emit: WorkerEmit
  now: () => number
  fallbackMs: number
  /** Fires when the worker stops. */
  signal: AbortSignal
}

/**
 * A hidden result on its way to being shown: committed to the requester, opened against the set that the requester signs.
 * In the confirmed lane the worker goes on without the requester when that takes too long.
 */
export type CommitmentFlow = {
  /** A journaled result: its commitment goes to these gateways, or, without any, on chain. */
  committed: (sessions: readonly GatewaySession[], entry: JournalEntry) => Promise<void>
  /** A requester's commit set. */
  takeSet: (session: GatewaySession, requestId: Hex, set: SignedCommitSet) => Promise<void>
}

const confirmedLane = laneNumber('confirmed')

export function createCommitmentFlow(deps: CommitmentFlowDeps): CommitmentFlow {
  const { journal, answers, emit, signal } = deps
  const waiting = new Set<Hex>()

  async function bringLater(sessions: readonly GatewaySession[], entry: JournalEntry, afterMs: number): Promise<void> {
    if (waiting.has(entry.requestId)) return
    waiting.add(entry.requestId)
    try {
      await sleep(afterMs, undefined, { signal })
      await answers.bring(entry)
      // Opened on chain, without a set: its requester gets the result all the same.
      if (isPaid(entry)) for (const session of sessions) await sendOpened(journal, session, entry)
    } catch {
      // The worker stops: after its next start the sweep goes on.
    } finally {
      waiting.delete(entry.requestId)
    }
  }

  /** Another one was in the requester's set: it has most of the time that is left, before this one takes its place. */
  function afterOthersMs({ ticket }: JournalEntry): number {
    return Math.max(deps.fallbackMs, (ticket.deadline * 1_000 - deps.now()) / 2)
  }

  return {
    committed: async (sessions, entry) => {
      const { requestId, ticket } = entry
      // A quorum on chain is ordered by the chain alone.
      const isOnChain = ticket.lane === confirmedLane && ticket.quorum > 1
      const signed = isOnChain || sessions.length === 0 ? undefined : await signCommitment(deps, entry)
      if (signed) {
        for (const session of sessions) session.send({ type: 'committed', requestId, ...signed })
        emit('job:committed', { requestId, commitment: signed.commitment })
      }
      if (ticket.lane !== confirmedLane || entry.settledBy) return
      if (signed && !entry.commitSet) void bringLater(sessions, entry, deps.fallbackMs)
      else await answers.bring(entry)
      if (isOnChain) for (const session of sessions) await sendOpened(journal, session, entry)
    },
    takeSet: async (session, requestId, set) => {
      const decision = await takeCommitSet(deps, requestId, set)
      const entry = journal.get(requestId)
      if (decision.type === 'open') {
        await sendOpened(journal, session, decision.entry)
        if (decision.entry.ticket.lane === confirmedLane) await answers.bring(decision.entry)
        return
      }
      session.send({ type: 'declined', requestId, reason: 'commit-set-invalid' })
      emit('job:declined', { requestId, reason: 'commit-set-invalid' })
      if (decision.type === 'not-in-set' && entry?.ticket.lane === confirmedLane)
        void bringLater([session], entry, afterOthersMs(entry))
    },
  }
}

function isPaid({ settledBy }: JournalEntry): boolean {
  return settledBy !== undefined && settledBy !== zeroBytes32
}

/** The result with what opens its commitment. */
async function sendOpened(journal: Journal, session: GatewaySession, entry: JournalEntry): Promise<void> {
  const { requestId, attestation, attestationSignature: signature, usage, commitmentSalt } = entry
  const result = await journal.readResult(requestId)
  if (!result || !commitmentSalt) return
  session.send({ type: 'attested', requestId, attestation, signature, result: toBase64(result), usage, commitmentSalt })
}
