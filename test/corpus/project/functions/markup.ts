import { marked } from 'marked'
import { parse, serialize } from 'parse5'
import { h } from 'preact'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  markdown: () => marked.parse('# Hi *you*\n\n| a | b |\n|---|---|\n| 1 | `x` |\n\n- [x] done\n\n<https://a.b>'),
  tokens: () => marked.lexer('a **b** _c_').length,
  html: () => serialize(parse('<p>a<p>b<table>x<tr><td>&amp;&notin;</table><b><i>y</b>z')),
  elements: ({ n }) =>
    [h('p', { key: 'k', class: 'c' }, 'text', n)].map(({ type, props, key }) => ({ type, props, key })),
}
export default answerCase(cases)
