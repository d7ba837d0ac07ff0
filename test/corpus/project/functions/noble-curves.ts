import { ed25519, x25519 } from '@noble/curves/ed25519'
import { secp256k1 } from '@noble/curves/secp256k1'
import { answerCase, type Cases } from '../answerCase.ts'

const key = new Uint8Array(32).fill(9)

const cases: Cases = {
  ed25519: () => ed25519.sign(Uint8Array.of(1, 2, 3), key),
  secp256k1: () => [secp256k1.getPublicKey(key), secp256k1.sign(key, key).toCompactHex()],
  agree: () => x25519.getSharedSecret(key, x25519.getPublicKey(new Uint8Array(32).fill(7))),
  'drawn-key': () => ed25519.utils.randomPrivateKey().length,
}
export default answerCase(cases)
