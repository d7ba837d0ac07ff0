import { type Address, type Hex, hashTypedData } from 'viem'
import { eip712Domain, type ProtocolDomain } from './domain.ts'

export const secretActions = ['set', 'delete', 'list'] as const

/**
 * Signed by a wallet that changes or lists its secrets of one project on one gateway. `fromVersion` is the environment's version
 * that the change is made on, so that a message counts once.
 */
export type SecretAction = {
  protocolVersion: number
  /** The gateway's signing address. */
  gateway: Address
  action: (typeof secretActions)[number]
  /** Creator of the project's functions; mostly the wallet itself. */
  creator: Address
  project: string
  /** Empty when listing. */
  name: string
  /** keccak256 of the value; zero unless it is set. */
  valueDigest: Hex
  fromVersion: number
  /** In seconds since 1970. */
  deadline: number
}

export const secretActionTypes = {
  SecretAction: [
    { name: 'protocolVersion', type: 'uint8' },
    { name: 'gateway', type: 'address' },
    { name: 'action', type: 'string' },
    { name: 'creator', type: 'address' },
    { name: 'project', type: 'string' },
    { name: 'name', type: 'string' },
    { name: 'valueDigest', type: 'bytes32' },
    { name: 'fromVersion', type: 'uint32' },
    { name: 'deadline', type: 'uint40' },
  ],
} as const

/** Digest of a `SecretAction`; off chain only. */
export function hashSecretAction(domain: ProtocolDomain, message: SecretAction): Hex {
  return hashTypedData({
    domain: eip712Domain(domain),
    types: secretActionTypes,
    primaryType: 'SecretAction',
    message,
  })
}
