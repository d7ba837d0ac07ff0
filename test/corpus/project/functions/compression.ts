import { gunzipSync, gzipSync, strFromU8, strToU8, unzipSync, zipSync } from 'fflate'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  gzip: () => gzipSync(strToU8('a text '.repeat(50)), { mtime: 0 }),
  'round-trip': () => strFromU8(gunzipSync(gzipSync(strToU8('é漢😀'.repeat(99)), { level: 9 }))),
  zip: () => Object.keys(unzipSync(zipSync({ 'a.txt': strToU8('x'), d: { 'b.txt': strToU8('y') } }))),
  'zip-of-now': () => zipSync({ 'a.txt': strToU8('x') }).length,
}
export default answerCase(cases)
