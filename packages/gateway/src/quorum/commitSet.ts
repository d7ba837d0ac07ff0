import {
  type DigestSigner,
  hashCommitSet,
  hashSignedCommitment,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  type Signing,
  sameHex,
} from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { Database } from '../database/database.ts'
import type { ClosedCommitSet } from '../requests/request.ts'
import type { CommittedMessage, WorkerLink } from '../workers/workerLink.ts'
import { insertCommitSet } from './commitSetTable.ts'

export type CommitSetDeps = { database: Database; signer: DigestSigner; signing: Signing; domain: ProtocolDomain }

/** True when the worker's own key signed this commitment, for this request. */
export async function isCommitment(
  { signing, domain }: CommitSetDeps,
  requestId: Hex,
  { executionKey }: Pick<WorkerLink, 'executionKey'>,
  { requestId: about, commitment, signature }: CommittedMessage,
): Promise<boolean> {
  if (!sameHex(about, requestId)) return false
  const digest = hashSignedCommitment(domain, { protocolVersion: PROTOCOL_VERSION, requestId, commitment })
  const signer = await signing.recover(digest, signature)
  return signer !== undefined && sameHex(signer, executionKey)
}

/**
 * Closes and signs the ordered commitments of a request, written down first. `undefined` when the request has a set already:
 * a second one would cost our bond.
 */
export async function closeCommitSet(
  { database, signer, domain }: CommitSetDeps,
  requestId: Hex,
  commitments: readonly Hex[],
): Promise<ClosedCommitSet | undefined> {
  const digest = hashCommitSet(domain, { protocolVersion: PROTOCOL_VERSION, requestId, commitments })
  const set = { commitments, signature: await signer.sign(digest) }
  return (await insertCommitSet(database, requestId, set)) ? set : undefined
}
