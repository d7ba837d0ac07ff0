import { type Address, type Hex, hashTypedData } from 'viem'
import { eip712Domain, type ProtocolDomain } from './domain.ts'

/** Signed by a requester when it lets a worker in: who holds its key is at the other end. `challenge` is the worker's 32 random bytes. */
export type GatewayWelcome = { protocolVersion: number; executionKey: Address; challenge: Hex }

export const gatewayWelcomeTypes = {
  GatewayWelcome: [
    { name: 'protocolVersion', type: 'uint8' },
    { name: 'executionKey', type: 'address' },
    { name: 'challenge', type: 'bytes32' },
  ],
} as const

/** Digest of a `GatewayWelcome`; off chain only. */
export function hashGatewayWelcome(domain: ProtocolDomain, message: GatewayWelcome): Hex {
  return hashTypedData({
    domain: eip712Domain(domain),
    types: gatewayWelcomeTypes,
    primaryType: 'GatewayWelcome',
    message,
  })
}
