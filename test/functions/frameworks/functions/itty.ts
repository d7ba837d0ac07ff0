import { AutoRouter, error, type IRequest } from 'itty-router'

const router = AutoRouter()
router
  .get('/', () => 'itty')
  .get('/greet/:name', ({ params, query }: IRequest) => ({ hello: params.name, mood: query.mood }))
  .post('/sum', async (request: IRequest) => {
    const { numbers } = (await request.json()) as { numbers: number[] }
    return new Response(JSON.stringify({ sum: numbers.reduce((sum, value) => sum + value, 0) }), { status: 201 })
  })
  .all('*', () => error(404))

export default { fetch: router.fetch }
