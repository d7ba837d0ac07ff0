import { base32, base58, base64urlnopad, bech32 } from '@scure/base'
import bs58 from 'bs58'
import { answerCase, type Cases } from '../answerCase.ts'

const bytes = Uint8Array.from({ length: 20 }, (_, index) => index * 13)

const cases: Cases = {
  base32: () => [base32.encode(bytes), base64urlnopad.encode(bytes)],
  base58: () => [base58.encode(bytes), bs58.encode(bytes), bs58.decode('StV1DL6CwTryKyV')],
  bech32: () => bech32.encode('bc', bech32.toWords(bytes)),
}
export default answerCase(cases)
