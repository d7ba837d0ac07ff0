import { camelCase, delay, groupBy, isEqual, Mutex, snakeCase, zip } from 'es-toolkit'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  arrays: () => [groupBy([1, 2, 3], (x) => (x % 2 ? 'odd' : 'even')), zip([1, 2], ['a', 'b'])],
  words: () => [camelCase('some text-here'), snakeCase('someXMLText')],
  equal: () => [isEqual(new Map([[1, { a: [NaN] }]]), new Map([[1, { a: [NaN] }]])), isEqual(0, -0)],
  mutex: async () => {
    const mutex = new Mutex()
    const seen: number[] = []
    const hold = async (ms: number) => {
      await mutex.acquire()
      await delay(ms)
      seen.push(ms)
      mutex.release()
    }
    await Promise.all([30, 10].map(hold))
    return seen
  },
}
export default answerCase(cases)
