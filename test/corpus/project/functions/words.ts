import camelcase from 'camelcase'
import { defu } from 'defu'
import { destr } from 'destr'
import picocolors from 'picocolors'
import stringWidth from 'string-width'
import stripAnsi from 'strip-ansi'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  camelcase: () => [camelcase('foo-bar_baz Qux', { pascalCase: true }), camelcase('XMLHttp')],
  width: () => [stringWidth('漢字😀é\u001b[1m'), stripAnsi('\u001b[31mred\u001b[39m')],
  colours: () => picocolors.createColors(true).red('x'),
  values: () => [destr('{"a":1,"__proto__":2}'), destr('NaN'), defu({ a: [1] }, { a: [2], b: { c: 3 } })],
}
export default answerCase(cases)
