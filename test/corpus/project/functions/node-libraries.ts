'use node'
import { createHmac } from 'node:crypto'
import { inspect } from 'node:util'
import iconv from 'iconv-lite'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  iconv: () => [iconv.encode('漢é', 'shift_jis'), iconv.decode(Buffer.from([0xe4, 0x80]), 'win1251')],
  hmac: ({ n }) => createHmac('sha512', String(n)).update('data').digest('base64'),
  inspect: () => inspect({ a: new Map([[1, new Set([2])]]) }, { depth: 4, sorted: true }),
}
export default answerCase(cases)
