import { hashCommitSet, PROTOCOL_VERSION, type ProtocolDomain, type Signing, sameHex } from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { Coordinator, SignedCommitSet } from './chain/coordinator.ts'
import { commitmentOf } from './commitments.ts'
import type { WorkerEmit } from './events.ts'
import type { Journal, JournalEntry } from './journal.ts'

export type CommitSetDeps = {
  domain: ProtocolDomain
  executionKey: { address: Hex }
  signing: Signing
  journal: Journal
  coordinator: Pick<Coordinator, 'reportCommitSets'>
  emit: WorkerEmit
}

/** `open`: what the journal holds may be shown. `not-in-set`: a valid set that others are in. `refused`: not a set at all. */
export type SetDecision = { type: 'open'; entry: JournalEntry } | { type: 'not-in-set' } | { type: 'refused' }

/**
 * Decides whether a result may be opened against a commit set: only one that the requester signed, that holds this
 * worker's commitment, and only ever one. A second, different set is evidence against the requester: it is kept and
 * reported, and nothing is opened against it.
 */
export async function takeCommitSet(deps: CommitSetDeps, requestId: Hex, set: SignedCommitSet): Promise<SetDecision> {
  const { domain, signing, journal, executionKey } = deps
  const entry = journal.get(requestId)
  const mine = entry && commitmentOf(executionKey.address, entry)
  if (!entry || !mine) return { type: 'refused' }
  const message = { protocolVersion: PROTOCOL_VERSION, requestId, commitments: set.commitments }
  const signer = await signing.recover(hashCommitSet(domain, message), set.signature)
  if (!signer || !sameHex(signer, entry.ticket.requester)) return { type: 'refused' }
  // Durable before anything is opened: after a crash it must still be known which set it was.
  const first = await journal.keepSet(requestId, set)
  if (!isSameSet(first, set)) {
    await reportRival(deps, entry, first, set)
    return { type: 'refused' }
  }
  const includesMine = set.commitments.some((commitment) => sameHex(commitment, mine))
  return includesMine ? { type: 'open', entry: journal.get(requestId) ?? entry } : { type: 'not-in-set' }
}

async function reportRival(
  { journal, coordinator, emit }: CommitSetDeps,
  { requestId, ticket, rivalSet }: JournalEntry,
  first: SignedCommitSet,
  second: SignedCommitSet,
): Promise<void> {
  if (rivalSet) return
  await journal.keepRival(requestId, second)
  emit('sets:conflict', { requestId, requester: ticket.requester })
  try {
    const transaction = await coordinator.reportCommitSets(ticket, first, second)
    emit('sets:reported', { requestId, transaction })
  } catch (error) {
    emit('worker:error', { during: `the report of two commit sets of ${requestId}`, error })
  }
}

/** The same commitments in the same order; a second signature over them is no second set. */
function isSameSet(one: SignedCommitSet, other: SignedCommitSet): boolean {
  return (
    one.commitments.length === other.commitments.length &&
    one.commitments.every((commitment, at) => sameHex(commitment, other.commitments[at] ?? '0x'))
  )
}
