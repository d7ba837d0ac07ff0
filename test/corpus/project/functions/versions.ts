import ms from 'ms'
import semver from 'semver'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  semver: () => [
    semver.satisfies('1.2.3-beta.1', '^1.2.0', { includePrerelease: true }),
    semver.inc('1.2.3', 'prerelease', 'rc'),
    semver.coerce('v3.x')?.version,
  ],
  sort: () => semver.rsort(['1.10.0', '1.9.0', '1.9.0-a', '1.9.0-10', '1.9.0-9']),
  range: () => new semver.Range('>=1.2 <3 || ~4.1').range,
  ms: () => [ms('2.5 days'), ms(90_061_000, { long: true }), ms(-500)],
}
export default answerCase(cases)
