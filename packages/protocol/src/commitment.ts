import { type Address, encodeAbiParameters, type Hex, hashTypedData, keccak256, stringToBytes } from 'viem'
import { eip712Domain, type ProtocolDomain } from './domain.ts'

/** What a worker of a quorum signs before anyone has opened: it hides the result behind a salt of its own. */
export type SignedCommitment = { protocolVersion: number; requestId: Hex; commitment: Hex }

export const signedCommitmentTypes = {
  SignedCommitment: [
    { name: 'protocolVersion', type: 'uint8' },
    { name: 'requestId', type: 'bytes32' },
    { name: 'commitment', type: 'bytes32' },
  ],
} as const

/** The ordered commitments of one request, closed by the requester: workers open only against it. */
export type CommitSet = { protocolVersion: number; requestId: Hex; commitments: readonly Hex[] }

export const commitSetTypes = {
  CommitSet: [
    { name: 'protocolVersion', type: 'uint8' },
    { name: 'requestId', type: 'bytes32' },
    { name: 'commitments', type: 'bytes32[]' },
  ],
} as const

const commitmentTypehash = keccak256(
  stringToBytes('PeerHostCommitment(bytes32 requestId,address worker,bytes32 resultSeal,bytes32 salt)'),
)

/** The hidden form of a result: bound to request and worker, so nobody can copy it. Twin: `Hashes.commitment`. Vectors: `commitment.json`. */
export function commitment(requestId: Hex, worker: Address, resultSeal: Hex, salt: Hex): Hex {
  return keccak256(
    encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'address' }, { type: 'bytes32' }, { type: 'bytes32' }],
      [commitmentTypehash, requestId, worker, resultSeal, salt],
    ),
  )
}

/** Digest of a `SignedCommitment`. Twin: `Messages.hashSignedCommitment`. Vectors: `signedCommitment.json`. */
export function hashSignedCommitment(domain: ProtocolDomain, message: SignedCommitment): Hex {
  return hashTypedData({
    domain: eip712Domain(domain),
    types: signedCommitmentTypes,
    primaryType: 'SignedCommitment',
    message,
  })
}

/** Digest of a `CommitSet`. Twin: `Messages.hashCommitSet`. Vectors: `commitSet.json`. */
export function hashCommitSet(domain: ProtocolDomain, message: CommitSet): Hex {
  return hashTypedData({ domain: eip712Domain(domain), types: commitSetTypes, primaryType: 'CommitSet', message })
}
