import { chunk, debounce, groupBy, merge, orderBy, template, words } from 'lodash'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  collections: () => [
    chunk([1, 2, 3, 4, 5], 2),
    groupBy([6.1, 4.2, 6.3], Math.floor),
    orderBy([{ a: 2 }, { a: 1 }], ['a']),
  ],
  merge: () => merge({ a: [{ b: 1 }] }, { a: [{ c: 2 }] }),
  template: ({ n }) => template('<% for (const x of l) { %><%- x %>,<% } %>')({ l: [n, '<b>'] }),
  words: () => words('fred, barney & pebblesÉclair 12ab'),
  debounce: async () => {
    let calls = 0
    const count = debounce(() => calls++, 50)
    for (let index = 0; index < 5; index += 1) count()
    await new Promise((done) => setTimeout(done, 200))
    return calls
  },
}
export default answerCase(cases)
