import { lot, seatSubject, wins } from '@peerhost/protocol'
import { encodeAbiParameters, getAddress, type Hex, keccak256, parseAbiParameters, stringToBytes, toHex } from 'viem'
import type { VectorFile } from './vectorFile.ts'

const requester = getAddress('0x1563915e194d8cfba1943570603f7606a3115508')
const operator = getAddress('0x00a329c0648769a73afac7f9381e08fb43dbea72')
const maxAddress = getAddress(`0x${'f'.repeat(40)}`)
const textHash = (text: string): Hex => keccak256(stringToBytes(text))
const mostStake = 2n ** 96n - 1n

type Draw = {
  name: string
  seed: Hex
  requester: typeof requester
  sequence: bigint
  operator: typeof operator
  stake: bigint
  totalStake: bigint
  size: number
}

/** Vectors of the draw of seats: `hash` is the lot as one word. */
export function seatDraws(): VectorFile {
  const type = 'PeerHostDraw(bytes32 seed,bytes32 subject,address operator)'
  return {
    description:
      'subject = keccak256(abi.encode(keccak256("PeerHostSeat(address requester,uint64 sequence)"), requester, sequence)); ' +
      'hash = lot = keccak256(abi.encode(typehash, seed, subject, operator)) >> 128; ' +
      'wins = stake > 0 and lot × totalStake < stake × size × 2^128',
    encoding:
      'abi.encode(bytes32 seed, address requester, uint64 sequence, address operator, uint96 stake, uint96 totalStake, uint256 size)',
    type,
    typehash: textHash(type),
    cases: draws().map(({ name, ...draw }) => {
      const subject = seatSubject(draw)
      const drawnLot = lot(draw.seed, subject, draw.operator)
      return {
        name,
        input: {
          ...draw,
          sequence: String(draw.sequence),
          stake: String(draw.stake),
          totalStake: String(draw.totalStake),
        },
        encoded: encodeAbiParameters(parseAbiParameters('bytes32, address, uint64, address, uint96, uint96, uint256'), [
          draw.seed,
          draw.requester,
          draw.sequence,
          draw.operator,
          draw.stake,
          draw.totalStake,
          BigInt(draw.size),
        ]),
        subject,
        wins: wins(drawnLot, draw),
        hash: toHex(drawnLot, { size: 32 }),
      }
    }),
  }
}

function draws(): Draw[] {
  const ordinary = { seed: textHash('seed'), requester, operator, stake: 100n, totalStake: 1_000n, size: 5 }
  const least = leastStake({ ...ordinary, sequence: 4n, totalStake: 10n ** 12n })
  const belowLeast = leastStake({ ...ordinary, sequence: 5n, totalStake: 10n ** 12n }) - 1n
  return [
    { name: 'ordinary', ...ordinary, sequence: 1n },
    { name: 'another operator', ...ordinary, sequence: 1n, operator: maxAddress },
    { name: 'another requester', ...ordinary, sequence: 1n, requester: maxAddress },
    { name: 'another seed', ...ordinary, sequence: 1n, seed: textHash('another seed') },
    { name: 'all of the stake wins every seat', ...ordinary, sequence: 2n, stake: 1_000n, size: 1 },
    { name: 'no stake never wins', ...ordinary, sequence: 3n, stake: 0n },
    { name: 'the least stake that wins', ...ordinary, sequence: 4n, stake: least, totalStake: 10n ** 12n },
    { name: 'one unit less than what wins', ...ordinary, sequence: 5n, stake: belowLeast, totalStake: 10n ** 12n },
    { name: 'nobody has stake', ...ordinary, sequence: 6n, stake: 0n, totalStake: 0n },
    { name: 'no seat', ...ordinary, sequence: 7n, stake: 1_000n, size: 0 },
    {
      name: 'max',
      seed: `0x${'f'.repeat(64)}`,
      requester: maxAddress,
      sequence: 2n ** 64n - 1n,
      operator: maxAddress,
      stake: mostStake,
      totalStake: mostStake,
      size: 255,
    },
  ]
}

function leastStake(draw: Omit<Draw, 'name' | 'stake'>): bigint {
  return (lot(draw.seed, seatSubject(draw), draw.operator) * draw.totalStake) / (BigInt(draw.size) << 128n) + 1n
}
