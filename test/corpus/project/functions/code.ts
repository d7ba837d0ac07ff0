import { parse, tokenizer } from 'acorn'
import MagicString from 'magic-string'
import postcss from 'postcss'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  acorn: () => parse('class A { #x = 1n; static { a ??= /x/v } }', { ecmaVersion: 'latest' }).body,
  tokens: () => [...tokenizer('a?.b `xy`', { ecmaVersion: 'latest' })].map(({ type }) => type.label),
  'magic-string': () => {
    const text = new MagicString('let a = 1').overwrite(4, 5, 'b').append(';')
    return [text.toString(), text.generateMap({ hires: true }).mappings]
  },
  postcss: () => postcss.parse('a{color:red;@media x{b{c:d}}}').nodes.map((node) => node.toString()),
}
export default answerCase(cases)
