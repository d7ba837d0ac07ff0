import { concatHex, type Hex, hashTypedData, keccak256 } from 'viem'
import { eip712Domain, type ProtocolDomain, zeroBytes32 } from './domain.ts'

/** One signature for all of a signer's messages in one settlement batch. `root` chains their digests in batch order. */
export type BatchRoll = { protocolVersion: number; count: number; root: Hex }

export const batchRollTypes = {
  BatchRoll: [
    { name: 'protocolVersion', type: 'uint8' },
    { name: 'count', type: 'uint32' },
    { name: 'root', type: 'bytes32' },
  ],
} as const

/**
 * Chains digests: `root = keccak256(root ‖ digest)`, from zero. A requester's roll chains its request ids, a worker's
 * roll its attestation digests, each in the order of the batch. Twin: `Hashes.roll`. Vectors: `batchRoll.json`.
 */
export function rollRoot(digests: readonly Hex[]): Hex {
  return digests.reduce((root, digest) => keccak256(concatHex([root, digest])), zeroBytes32)
}

/** Digest of a `BatchRoll`. Twin: `Messages.hashBatchRoll`. Vectors: `batchRoll.json`. */
export function hashBatchRoll(domain: ProtocolDomain, message: BatchRoll): Hex {
  return hashTypedData({ domain: eip712Domain(domain), types: batchRollTypes, primaryType: 'BatchRoll', message })
}
