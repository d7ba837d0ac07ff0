import { Hono } from 'hono'
import { answerCase, type Cases } from '../answerCase.ts'

const app = new Hono()
app.get('/items/:id{[0-9]+}', (c) => c.json({ id: c.req.param('id'), q: c.req.query('q') }))
app.onError((error, c) => c.text(`failed: ${error.message}`, 500))
app.get('/fails', () => {
  throw new Error('inside')
})

const cases: Cases = {
  route: () => app.request('/items/42?q=x'),
  'not-found': () => app.request('/items/none'),
  error: () => app.request('/fails'),
}
export default answerCase(cases)
