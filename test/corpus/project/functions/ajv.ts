import { Ajv } from 'ajv'
import { answerCase, type Cases } from '../answerCase.ts'

const ajv = new Ajv({ allErrors: true })
const validate = ajv.compile({
  type: 'object',
  properties: { n: { type: 'integer', minimum: 50 }, s: { type: 'string', pattern: '^\\p{L}+$' } },
  required: ['n', 's'],
  additionalProperties: false,
})

const cases: Cases = {
  valid: () => validate({ n: 51, s: 'é' }),
  errors: ({ n }) => [validate({ n, s: '1', x: 0 }), validate.errors],
  'at-run-time': () =>
    new Ajv().compile({ type: 'array', items: { enum: [1, 'a', null] }, uniqueItems: true })([1, 'a', 1]),
}
export default answerCase(cases)
