import { expand } from 'brace-expansion'
import { minimatch } from 'minimatch'
import { match, parse } from 'path-to-regexp'
import picomatch from 'picomatch'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  minimatch: () => ['a/b.ts', 'a/c/b.js', '.x'].map((path) => minimatch(path, 'a/**/*.{ts,js}')),
  picomatch: () => [picomatch('!(a|b)*.md')('c.md'), picomatch.makeRe('**/[a-c]?.@(x|y)')],
  'path-to-regexp': () => [match('/a/:id{/*rest}')('/a/7/x/y'), parse('/x/:y')],
  braces: () => expand('f{01..3}{a,b{c,d}}'),
}
export default answerCase(cases)
