import Big from 'big.js'
import BN from 'bn.js'
import Long from 'long'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  big: () => [new Big('0.1').plus('0.2').toString(), new Big(2).sqrt().toString(), new Big('1e30').div(7).toFixed(5)],
  bn: ({ n }) => [
    new BN(n).pow(new BN(20)).toString(16),
    new BN('ff', 16).invm(new BN(101)).toString(),
    new BN(-7).umod(new BN(3)).toNumber(),
  ],
  long: () => [Long.MAX_VALUE.add(1).toString(), Long.fromString('-123456789012').shiftRightUnsigned(3).toString()],
}
export default answerCase(cases)
