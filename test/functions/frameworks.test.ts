import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildProject } from '@peerhost/bundler'
import {
  canonicalRequest,
  decodeBody,
  decodeResult,
  encodeRequest,
  LIMITS_CLASSES,
  type RawRequest,
} from '@peerhost/protocol'
import { createProcessSandbox, type Sandbox } from '@peerhost/worker'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const directory = mkdtempSync(join(tmpdir(), 'peerhost-frameworks-'))
const bundles = new Map<string, Uint8Array>()
let sandbox: Sandbox

beforeAll(async () => {
  const { functions } = await buildProject({ directory: join(import.meta.dirname, 'frameworks') })
  for (const { name, bundle } of functions) bundles.set(name, bundle)
  sandbox = await createProcessSandbox({ directory, slots: 1, log: () => {} })
})
afterAll(async () => {
  await sandbox?.close()
  rmSync(directory, { recursive: true, force: true })
})

/** Runs a request through the bundle of a framework's app, as a worker would. */
async function call(name: string, request: Partial<RawRequest>) {
  const raw = { method: 'GET', path: '/', query: '', headers: [], body: new Uint8Array(0), ...request }
  const run = await sandbox.run(
    {
      deployment: name,
      bundle: bundles.get(name) ?? new Uint8Array(0),
      limits: LIMITS_CLASSES[0],
      request: encodeRequest(canonicalRequest(raw)),
      issuedAt: 1_700_000_000,
      seed: `0x${'5e'.repeat(32)}`,
    },
    AbortSignal.timeout(30_000),
  )
  const { status, body } = decodeResult(run.result)
  return { status, text: new TextDecoder().decode(decodeBody(body)) }
}

// A framework that speaks fetch runs as its own documentation shows it, without an adapter of ours.
describe.each(['hono', 'itty'])('%s', (name) => {
  test('answers at its root', async () => {
    const { status, text } = await call(name, {})
    expect({ status, text: text.replaceAll('"', '') }).toEqual({ status: 200, text: name })
  })

  test('routes by path and reads the query', async () => {
    const { status, text } = await call(name, { path: '/greet/ada', query: 'mood=good' })
    expect({ status, body: JSON.parse(text) }).toEqual({ status: 200, body: { hello: 'ada', mood: 'good' } })
  })

  test('reads a JSON body', async () => {
    const body = new TextEncoder().encode('{"numbers":[40,2]}')
    const headers: [string, string][] = [['content-type', 'application/json']]
    const { status, text } = await call(name, { method: 'POST', path: '/sum', headers, body })
    expect({ status, body: JSON.parse(text) }).toEqual({ status: 201, body: { sum: 42 } })
  })

  test('says 404 itself', async () => {
    expect((await call(name, { path: '/nowhere' })).status).toBe(404)
  })
})

test('a streamed answer is gathered', async () => {
  expect(await call('hono', { path: '/stream' })).toEqual({ status: 200, text: 'one two three' })
})
