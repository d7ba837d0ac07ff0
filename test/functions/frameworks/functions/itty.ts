import { AutoRouter, error } from 'itty-router'

const router = AutoRouter()
router
  .get('/', () => 'itty')
  .get('/greet/:name', ({ params, query }) => ({ hello: params.name, mood: query.mood }))
  .post('/sum', async (request) => {
    const { numbers } = (await request.json()) as { numbers: number[] }
    return new Response(JSON.stringify({ sum: numbers.reduce((sum, value) => sum + value, 0) }), { status: 201 })
  })
  .all('*', () => error(404))

export default { fetch: router.fetch }
