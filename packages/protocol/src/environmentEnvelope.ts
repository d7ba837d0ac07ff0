import { type Address, bytesToHex, concatHex, type Hex, hashTypedData, hexToBytes, keccak256, stringToHex } from 'viem'
import { fromBase64 } from './body.ts'
import { eip712Domain, PROTOCOL_VERSION, type ProtocolDomain } from './domain.ts'

/** An environment as it travels: HPKE's encapsulated key and ciphertext, both base64. */
export type SealedEnvironment = { encapsulatedKey: string; sealed: string }

/** Whose envelope it is: one execution of a request by an operator, whose sandbox has made `publicKey` (base64) for it. */
export type EnvelopeRecipient = { requestId: Hex; operator: Address; publicKey: string }

const label = stringToHex('PeerHost sealed environment 1')

/**
 * What an envelope with a function's environment is bound to (`info` of HPKE, RFC 9180): one request, whose id is the hash of its ticket
 * under the domain of its chain and coordinator, and the operator that runs it. Label, request id (32 bytes), operator (20 bytes).
 */
export function environmentContext(requestId: Hex, operator: Address): Uint8Array {
  return hexToBytes(concatHex([label, requestId, operator]))
}

/** Signed by the requester: what this envelope holds is the environment of this request, for this sandbox. */
export const environmentEnvelopeTypes = {
  EnvironmentEnvelope: [
    { name: 'protocolVersion', type: 'uint8' },
    { name: 'requestId', type: 'bytes32' },
    { name: 'operator', type: 'address' },
    { name: 'publicKey', type: 'bytes' },
    { name: 'encapsulatedKey', type: 'bytes' },
    { name: 'sealedDigest', type: 'bytes32' },
  ],
} as const

/** Digest of an `EnvironmentEnvelope`, with keccak256 of the ciphertext in it; off chain only. Throws `request_invalid` for bad base64. */
export function hashEnvironmentEnvelope(
  domain: ProtocolDomain,
  { requestId, operator, publicKey }: EnvelopeRecipient,
  { encapsulatedKey, sealed }: SealedEnvironment,
): Hex {
  return hashTypedData({
    domain: eip712Domain(domain),
    types: environmentEnvelopeTypes,
    primaryType: 'EnvironmentEnvelope',
    message: {
      protocolVersion: PROTOCOL_VERSION,
      requestId,
      operator,
      publicKey: bytesToHex(fromBase64(publicKey)),
      encapsulatedKey: bytesToHex(fromBase64(encapsulatedKey)),
      sealedDigest: keccak256(fromBase64(sealed)),
    },
  })
}
