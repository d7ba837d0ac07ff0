import { blake2b } from '@noble/hashes/blake2'
import { blake3 } from '@noble/hashes/blake3'
import { hmac } from '@noble/hashes/hmac'
import { scrypt } from '@noble/hashes/scrypt'
import { sha256 } from '@noble/hashes/sha2'
import { sha3_512 } from '@noble/hashes/sha3'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  digests: () => [sha256('a'), sha3_512('b')],
  blake: () => [blake2b('a', { dkLen: 20 }), blake3('b')],
  mac: ({ n }) => hmac(sha256, Uint8Array.of(n), 'data'),
  scrypt: () => scrypt('pass', 'salt', { N: 256, r: 8, p: 1, dkLen: 32 }),
}
export default answerCase(cases)
