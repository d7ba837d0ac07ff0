import { encodeAbiParameters, type Hex, keccak256, stringToBytes } from 'viem'
import type { Ticket } from './ticket.ts'

const seedTypehash = keccak256(stringToBytes('PeerHostSeed(bytes32 epochSeed,address requester,uint64 sequence)'))

/**
 * What seeds a function's randomness: the same on every worker that runs the request, fixed before its input is known.
 * `epochSeed` is zero as long as epochs have no seed.
 */
export function executionSeed(epochSeed: Hex, { requester, sequence }: Pick<Ticket, 'requester' | 'sequence'>): Hex {
  return keccak256(
    encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'address' }, { type: 'uint64' }],
      [seedTypehash, epochSeed, requester, sequence],
    ),
  )
}
