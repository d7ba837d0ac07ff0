import { type Address, type Hex, hashTypedData } from 'viem'
import { eip712Domain, type ProtocolDomain } from './domain.ts'

/** An action of an owner or operator that anyone may send. `action` is calldata of the contract that it is sent to. */
export type RelayedAction = { account: Address; action: Hex; nonce: bigint; deadline: number }

export const relayedActionTypes = {
  RelayedAction: [
    { name: 'account', type: 'address' },
    { name: 'action', type: 'bytes' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint40' },
  ],
} as const

/**
 * Digest of a `RelayedAction`. The domain is that of the contract that is called, not the coordinator's: pass it as
 * `coordinator`. Twin: `Messages.hashRelayedAction`. Vectors: `relayedAction.json`.
 */
export function hashRelayedAction(domain: ProtocolDomain, action: RelayedAction): Hex {
  return hashTypedData({
    domain: eip712Domain(domain),
    types: relayedActionTypes,
    primaryType: 'RelayedAction',
    message: action,
  })
}
