import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BuiltProject, buildProject } from '@peerhost/bundler'
import { LIMITS } from '@peerhost/protocol'
import { createProcessSandbox, type Sandbox } from '@peerhost/worker'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type LocalServer, startLocalServer } from '../src/localServer.ts'

const directory = mkdtempSync(join(tmpdir(), 'peerhost-local-'))
const lines: { method: string; path: string; status: number; log: string }[] = []
let sandbox: Sandbox
let server: LocalServer

beforeAll(async () => {
  sandbox = await createProcessSandbox({ directory: join(directory, 'sandbox'), slots: 1 })
  const project = await build({ 'echo.ts': echo, 'echo/deep.ts': deep('one'), 'loud.ts': loud })
  server = await startLocalServer({ sandbox }, { project, onRequest: (line) => lines.push(line) })
})

afterAll(async () => {
  await server.stop()
  await sandbox.close()
  rmSync(directory, { recursive: true, force: true })
})

describe('the local server', () => {
  it('gives the function exactly what was sent', async () => {
    const response = await fetch(`${server.urlOf('echo')}/a/b?x=1&x=2`, {
      method: 'POST',
      headers: { 'x-kept': 'yes', cookie: 'dropped=1' },
      body: 'bytes',
    })
    expect(response.status).toBe(201)
    expect(response.headers.get('x-answer')).toBe('1')
    expect(response.headers.get('set-cookie')).toBeNull()
    const seen = (await response.json()) as Record<string, unknown>
    expect(seen).toMatchObject({ method: 'POST', x: ['1', '2'], kept: 'yes', cookie: null, body: 'bytes' })
    expect(seen.path).toMatch(/\/a\/b$/)
  })

  it('takes the longest name that matches', async () => {
    expect(await (await fetch(server.urlOf('echo/deep'))).text()).toBe('one')
  })

  it('shows what the function wrote to its log', async () => {
    await (await fetch(server.urlOf('loud'))).text()
    expect(lines.at(-1)).toMatchObject({ method: 'GET', path: '/local-test/loud', status: 200 })
    expect(lines.at(-1)?.log).toContain('said aloud')
  })

  it('answers a HEAD without a body', async () => {
    const response = await fetch(server.urlOf('echo/deep'), { method: 'HEAD' })
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('')
  })

  it.each([
    { name: 'another function', path: '/local-test/nobody', init: {}, status: 404, code: 'function_not_found' },
    {
      name: 'a name that only begins alike',
      path: '/local-test/echoes',
      init: {},
      status: 404,
      code: 'function_not_found',
    },
    { name: 'a broken escape', path: '/local-test/echo/%zz', init: {}, status: 400, code: 'request_invalid' },
    {
      name: 'a body over the limit',
      path: '/local-test/echo',
      init: { method: 'POST', body: new Uint8Array(LIMITS.requestBodyBytes + 1) },
      status: 413,
      code: 'request_too_large',
    },
  ])('refuses $name', async ({ path, init, status, code }) => {
    const response = await fetch(server.url + path, init)
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ status, code })
  })

  it('serves the next build after an update', async () => {
    server.update(await build({ 'echo.ts': echo, 'echo/deep.ts': deep('two'), 'loud.ts': loud }))
    expect(await (await fetch(server.urlOf('echo/deep'))).text()).toBe('two')
  })
})

async function build(functions: Record<string, string>): Promise<BuiltProject> {
  const project = join(directory, 'local-test')
  mkdirSync(join(project, 'functions/echo'), { recursive: true })
  for (const [file, text] of Object.entries(functions)) writeFileSync(join(project, 'functions', file), text)
  return buildProject({ directory: project })
}

const echo = `export default async (request: Request): Promise<Response> => {
  const url = new URL(request.url)
  const { headers, method } = request
  const seen = {
    method,
    path: url.pathname,
    x: url.searchParams.getAll('x'),
    kept: headers.get('x-kept'),
    cookie: headers.get('cookie'),
    body: await request.text(),
  }
  return Response.json(seen, { status: 201, headers: { 'x-answer': '1', 'set-cookie': 'no=1' } })
}
`

const deep = (word: string) => `export const GET = () => new Response('${word}')\n`

const loud = `export function GET(): Response {
  console.log('said aloud')
  return new Response('ok')
}
`
