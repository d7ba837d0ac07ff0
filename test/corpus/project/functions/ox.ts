import { Base58, Hash, Hex, Rlp, Secp256k1 } from 'ox'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  rlp: () => Rlp.fromHex([Hex.fromNumber(1), [Hex.fromString('a'), '0x']]),
  hash: ({ n }) => [Hash.keccak256(Hex.fromNumber(n)), Hash.ripemd160('0x01'), Hash.sha256('0x02')],
  sign: () => Secp256k1.sign({ payload: Hash.keccak256('0x03'), privateKey: `0x${'07'.repeat(32)}` }),
  base58: () => Base58.fromHex('0x00112233445566'),
}
export default answerCase(cases)
