import {
  type DigestSigner,
  hashAttestation,
  hashBatchRoll,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  rollRoot,
} from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { Journal } from './journal.ts'

export type SignedRoll = { type: 'rolled'; signature: Hex } | { type: 'refused'; reason: string }

/**
 * Signs one roll for attestations of this worker, in the order of the batch. Only what the journal holds is signed: a
 * roll can say nothing that this key has not said before.
 */
export async function signRoll(
  { domain, executionKey, journal }: { domain: ProtocolDomain; executionKey: DigestSigner; journal: Journal },
  requestIds: readonly Hex[],
): Promise<SignedRoll> {
  if (new Set(requestIds).size !== requestIds.length) return { type: 'refused', reason: 'A request is listed twice.' }
  const digests: Hex[] = []
  for (const requestId of requestIds) {
    const entry = journal.get(requestId)
    if (!entry) return { type: 'refused', reason: `Not attested by this worker: ${requestId}` }
    digests.push(hashAttestation(domain, entry.attestation))
  }
  const roll = { protocolVersion: PROTOCOL_VERSION, count: digests.length, root: rollRoot(digests) }
  return { type: 'rolled', signature: await executionKey.sign(hashBatchRoll(domain, roll)) }
}
