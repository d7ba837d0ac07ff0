import { Hono } from 'hono'
import { accepts } from 'hono/accepts'
import { basicAuth } from 'hono/basic-auth'
import { cors } from 'hono/cors'
import { csrf } from 'hono/csrf'
import { etag } from 'hono/etag'
import { html } from 'hono/html'
import { renderToString } from 'hono/jsx/dom/server'
import { jwt } from 'hono/jwt'
import { secureHeaders } from 'hono/secure-headers'
import { timing } from 'hono/timing'
import * as z from 'zod'

// All of zod with its languages, as an application has it that imports without looking.
const query = z.object({ name: z.string().min(1).default('world') })
const languages = Object.keys(z.locales)

const app = new Hono()
app.use(cors(), etag(), secureHeaders(), csrf(), timing())
app.use('/private/*', jwt({ secret: 'not one', alg: 'HS256' }), basicAuth({ username: 'nobody', password: 'nothing' }))
app.get('/page', (context) =>
  context.html(
    html`${renderToString('hello')} ${accepts(context, { header: 'Accept', supports: ['text/html'], default: 'text/html' })}`,
  ),
)
app.get('/', (context) => {
  const { name } = query.parse(context.req.query())
  return context.json({ hello: name, languages: languages.length })
})

export default app
