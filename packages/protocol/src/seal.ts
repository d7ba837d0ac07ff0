import { encodeAbiParameters, type Hex, keccak256, stringToBytes } from 'viem'

const sealTypehash = keccak256(stringToBytes('PeerHostSeal(bytes32 hash,bytes32 salt)'))

/**
 * The salted form in which an input or result hash appears on chain, where a dictionary would otherwise read private
 * requests. The salt goes to the workers and the caller only; input and result of one request share it, so workers that
 * agree on a result agree on its seal. Twin: `Hashes.seal`. Vectors: `seal.json`.
 */
export function seal(hash: Hex, salt: Hex): Hex {
  return keccak256(
    encodeAbiParameters([{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'bytes32' }], [sealTypehash, hash, salt]),
  )
}
