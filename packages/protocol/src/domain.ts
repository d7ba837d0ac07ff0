import type { Address, Hex, TypedDataDomain } from 'viem'

/** The `protocolVersion` member of every signed message of this version. */
export const PROTOCOL_VERSION = 1

/** What every signature is bound to, so that nothing signed for one chain or contract counts on another. */
export type ProtocolDomain = { chainId: number; coordinator: Address }

/** The EIP-712 domain of the protocol's messages. Twin: `Messages.domainSeparator`. */
export function eip712Domain({
  chainId,
  coordinator,
}: ProtocolDomain): TypedDataDomain & { verifyingContract: Address } {
  return { name: 'PeerHost', version: '1', chainId, verifyingContract: coordinator }
}

/** Seconds since 1970 → epoch number. Twin: `Messages.epochAt`. */
export function epochAt(seconds: number, epochSeconds: number): number {
  return Math.floor(seconds / epochSeconds)
}

export const zeroBytes32: Hex = `0x${'0'.repeat(64)}`
