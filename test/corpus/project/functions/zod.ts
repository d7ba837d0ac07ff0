import { z } from 'zod'
import { answerCase, type Cases } from '../answerCase.ts'

const person = z.object({ name: z.string().min(2), age: z.coerce.number().int(), mail: z.email().optional() })

const cases: Cases = {
  parse: ({ n }) => person.parse({ name: 'Ada', age: String(n) }),
  issues: () => person.safeParse({ name: 'A', age: 1.5, mail: 'no' }).error?.issues,
  union: () =>
    z.discriminatedUnion('t', [z.object({ t: z.literal('a') }), z.object({ t: z.literal('b') })]).safeParse({ t: 'c' })
      .error?.issues,
  'json-schema': () => z.toJSONSchema(person),
}
export default answerCase(cases)
