import { type Hex, hashTypedData } from 'viem'
import { eip712Domain, type ProtocolDomain } from './domain.ts'

/** Signed by a wallet so that a gateway stores a block for it. `deadline` in seconds since 1970. */
export type BlockUpload = { protocolVersion: number; digest: Hex; deadline: number }

export const blockUploadTypes = {
  BlockUpload: [
    { name: 'protocolVersion', type: 'uint8' },
    { name: 'digest', type: 'bytes32' },
    { name: 'deadline', type: 'uint40' },
  ],
} as const

/** Digest of a `BlockUpload`; off chain only. */
export function hashBlockUpload(domain: ProtocolDomain, message: BlockUpload): Hex {
  return hashTypedData({ domain: eip712Domain(domain), types: blockUploadTypes, primaryType: 'BlockUpload', message })
}
