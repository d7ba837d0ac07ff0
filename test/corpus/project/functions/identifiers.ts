import { customAlphabet, nanoid } from 'nanoid'
import { v4, v5 } from 'uuid'
import { answerCase, type Cases } from '../answerCase.ts'

const cases: Cases = {
  nanoid: () => [nanoid(), nanoid(10), customAlphabet('abc', 12)()],
  uuid: () => [v4(), v5('https://a.b', v5.URL)],
}
export default answerCase(cases)
