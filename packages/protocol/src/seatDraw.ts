import { type Address, encodeAbiParameters, type Hex, keccak256, stringToBytes } from 'viem'
import type { Ticket } from './ticket.ts'

const seatSubjectTypehash = keccak256(stringToBytes('PeerHostSeat(address requester,uint64 sequence)'))
const drawTypehash = keccak256(stringToBytes('PeerHostDraw(bytes32 seed,bytes32 subject,address operator)'))

/** What a seat is drawn about: fixed before the requester can try alternatives. Twin: `Hashes.seatSubject`. */
export function seatSubject({ requester, sequence }: Pick<Ticket, 'requester' | 'sequence'>): Hex {
  return keccak256(
    encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'address' }, { type: 'uint64' }],
      [seatSubjectTypehash, requester, sequence],
    ),
  )
}

/** One operator's lot: a number below 2^128. Twin: `Hashes.lot`. Vectors: `seatDraw.json`. */
export function lot(seed: Hex, subject: Hex, operator: Address): bigint {
  const hash = keccak256(
    encodeAbiParameters(
      [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'bytes32' }, { type: 'address' }],
      [drawTypehash, seed, subject, operator],
    ),
  )
  return BigInt(hash) >> 128n
}

/**
 * Whether a lot wins one of `size` seats: `lot / 2^128 < stake / totalStake × size`, in integers. A zero seed, stake or
 * total never wins. Twin: `Hashes.wins`. Vectors: `seatDraw.json`.
 */
export function wins(
  drawnLot: bigint,
  { stake, totalStake, size }: { stake: bigint; totalStake: bigint; size: number },
) {
  if (stake === 0n || totalStake === 0n) return false
  return drawnLot * totalStake < (stake * BigInt(size)) << 128n
}
