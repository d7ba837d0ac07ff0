import { type Address, type Hex, hashTypedData } from 'viem'
import { eip712Domain, type ProtocolDomain } from './domain.ts'

/** Signed by an execution key when an operator registers it: shows that the operator holds it. `nonce` is `keyNonce(operator)`. */
export type ExecutionKeyProof = { protocolVersion: number; operator: Address; executionKey: Address; nonce: bigint }

export const executionKeyProofTypes = {
  ExecutionKeyProof: [
    { name: 'protocolVersion', type: 'uint8' },
    { name: 'operator', type: 'address' },
    { name: 'executionKey', type: 'address' },
    { name: 'nonce', type: 'uint256' },
  ],
} as const

/** Digest of an `ExecutionKeyProof`. Twin: `Messages.hashExecutionKeyProof`. Vectors: `executionKeyProof.json`. */
export function hashExecutionKeyProof(domain: ProtocolDomain, message: ExecutionKeyProof): Hex {
  return hashTypedData({
    domain: eip712Domain(domain),
    types: executionKeyProofTypes,
    primaryType: 'ExecutionKeyProof',
    message,
  })
}
