import { AutoRouter, error, type IRequest, json } from 'itty-router'
import { answerCase, type Cases } from '../answerCase.ts'

const router = AutoRouter()
router.get('/hello/:name', ({ params }: IRequest) => ({ hello: params.name })).all('*', () => error(404, 'none'))

const cases: Cases = {
  route: () => router.fetch(new Request('https://a.b/hello/ada')),
  missing: () => router.fetch(new Request('https://a.b/other')),
  json: ({ n }) => json({ n }),
}
export default answerCase(cases)
