import {
  commitment,
  type DigestSigner,
  hashSignedCommitment,
  laneNumber,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  type Ticket,
} from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { JournalEntry } from './journal.ts'

const confirmedLane = laneNumber('confirmed')

/** Whether a result is hidden behind a commitment first: in every quorum, and always in the confirmed lane. */
export function needsCommitment({ quorum, lane }: Pick<Ticket, 'quorum' | 'lane'>): boolean {
  return quorum > 1 || lane === confirmedLane
}

/** The commitment of a journaled result: the same each time, because its salt is in the journal. */
export function commitmentOf(executionKey: Address, entry: JournalEntry): Hex | undefined {
  if (!entry.commitmentSalt) return undefined
  return commitment(entry.requestId, executionKey, entry.attestation.resultSeal, entry.commitmentSalt)
}

/** What the requester gets of a result before anyone has opened. */
export async function signCommitment(
  { domain, executionKey }: { domain: ProtocolDomain; executionKey: DigestSigner },
  entry: JournalEntry,
): Promise<{ commitment: Hex; signature: Hex } | undefined> {
  const hidden = commitmentOf(executionKey.address, entry)
  if (!hidden) return undefined
  const message = { protocolVersion: PROTOCOL_VERSION, requestId: entry.requestId, commitment: hidden }
  return { commitment: hidden, signature: await executionKey.sign(hashSignedCommitment(domain, message)) }
}
