import canonicalize from 'canonicalize'
import equal from 'fast-deep-equal'
import { keccak256, sha3_256, shake128 } from 'js-sha3'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  sha3: () => [keccak256('é'), sha3_256(Uint8Array.of(1)), shake128('x', 256)],
  canonicalize: () => canonicalize({ b: [1e21, 0.1, -0], a: '€\u0007', '\u{1f600}': 1 }),
  equal: () => [equal({ a: [1, { b: NaN }] }, { a: [1, { b: NaN }] }), equal(new Date(1), new Date(2))],
}
export default answerCase(cases)
