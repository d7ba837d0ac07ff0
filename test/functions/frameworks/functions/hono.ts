import { Hono } from 'hono'

const app = new Hono()
app.get('/', (context) => context.text('hono'))
app.get('/greet/:name', (context) =>
  context.json({ hello: context.req.param('name'), mood: context.req.query('mood') }),
)
app.post('/sum', async (context) => {
  const { numbers } = await context.req.json<{ numbers: number[] }>()
  return context.json({ sum: numbers.reduce((sum, value) => sum + value, 0) }, 201)
})
app.get('/stream', () => {
  const encoder = new TextEncoder()
  return new Response(
    new ReadableStream({
      start(controller) {
        for (const part of ['one ', 'two ', 'three']) controller.enqueue(encoder.encode(part))
        controller.close()
      },
    }),
  )
})

export default app
