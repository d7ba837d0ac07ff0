import { writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { invoke } from '@peerhost/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestNetwork, type TestNetwork } from './network.ts'

let network: TestNetwork
beforeAll(async () => {
  network = await startTestNetwork({ workers: 2 })
})
afterAll(() => network?.close())

test('the exact bytes, method, path and query reach the function', async () => {
  const body = Uint8Array.of(0xef, 0xbb, 0xbf, 0, 255, 10)
  const response = await fetch(`${network.url('echo')}/a%2fb/%7Ec?x=1&x=2&y=%20`, {
    method: 'PUT',
    body,
    headers: { 'x-custom': 'kept', cookie: 'dropped=1' },
  })
  const seen = (await response.json()) as {
    method: string
    pathname: string
    search: string
    headers: [string, string][]
    body: number[]
  }
  expect(seen).toMatchObject({ method: 'PUT', pathname: '/a%2Fb/~c', search: '?x=1&x=2&y=%20', body: [...body] })
  expect(seen.headers).toContainEqual(['x-custom', 'kept'])
  expect(seen.headers.map(([name]) => name)).not.toContain('cookie')
})

// What each hostile function ends as. Where the time limit of 5 s applies, two workers are asked.
describe.each([
  ['throws', 500, 'execution_threw'],
  ['loops', 504, 'execution_timed_out'],
  ['allocates', 507, 'execution_out_of_memory'],
  ['floods', 500, 'execution_output_too_large'],
  ['forks', 500, 'execution_threw'],
  ['reads-passwd', 500, 'execution_threw'],
  ['opens-socket', 500, 'execution_threw'],
  ['exits', 500, 'execution_threw'],
])('a function that %s', (name, status, code) => {
  test('has its named outcome, and the next call works', async () => {
    const response = await fetch(network.url(name))
    expect({ status: response.status, code: ((await response.json()) as { code: string }).code }).toEqual({
      status,
      code,
    })
    const next = await invoke(network.payer, { url: network.url('echo') })
    expect(next.status).toBe(200)
    expect(network.devnet.workers().every((worker) => worker.isRunning())).toBe(true)
  })
})

test('nothing is remembered from one execution to the next', async () => {
  for (let call = 0; call < 4; call += 1) {
    const response = await fetch(network.url('remembers'))
    expect(await response.json()).toEqual({ calls: 1, seen: 0 })
  }
})

test.each([
  '//paid',
  '/./paid',
  '/x/../paid',
  '/%70aid',
  '/paid/',
  '/paid%2f',
  '/paid/%2e%2e/paid',
  '\\paid',
  '/paid;x',
  '/PAID',
  '/paid/rest',
])('the path form %j gets round no price', async (form) => {
  const base = `${network.devnet.gatewayUrl}/${network.devnet.accounts.developer.address}/e2e`
  const { status } = await rawRequest(`${base}${form}`)
  expect([400, 402, 404]).toContain(status)
})

test.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])('%s is gated like every other method', async (method) => {
  const response = await fetch(network.url('paid'), { method })
  expect(response.status).toBe(402)
})

/** `fetch` normalises paths; a hostile client does not. */
async function rawRequest(url: string): Promise<{ status: number }> {
  const { hostname, port } = new URL(network.devnet.gatewayUrl)
  const path = url.slice(network.devnet.gatewayUrl.length)
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, path, method: 'GET' }, (response) => {
      response.resume()
      response.once('end', () => resolve({ status: response.statusCode ?? 0 }))
    })
    outgoing.once('error', reject)
    outgoing.end()
  })
}

test('bytes that do not match their CID are refused, and nothing else runs instead', async () => {
  writeFileSync(network.blockFile('slow'), 'module.exports = { default: () => new Response("evil") }')
  const response = await fetch(network.url('slow'))
  expect(response.status).toBe(503)
  expect(await response.text()).not.toContain('evil')
})
