import fc from 'fast-check'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  'pure-rand': ({ n }) => {
    const generator = xoroshiro128plus(n)
    return Array.from({ length: 8 }, () => uniformInt(generator, 0, 999))
  },
  'fast-check': () => fc.sample(fc.array(fc.string()), { seed: 7, numRuns: 5 }),
  shrinks: () =>
    fc.check(
      fc.property(fc.nat(), (value) => value < 50),
      { seed: 3 },
    ).counterexample,
}
export default answerCase(cases)
