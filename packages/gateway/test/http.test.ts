import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { encodeCanonicalJson, hashBlockUpload, PROTOCOL_VERSION } from '@peerhost/protocol'
import { blockCid } from '@peerhost/storage'
import type { Hex } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Keyed, newKey, startNetwork, type TestNetwork } from './fixture.ts'
import { payerV2 } from './payer.ts'
import { startTestGateway, type TestGateway } from './testGateway.ts'
import { startTestWorker, type TestWorker } from './testWorker.ts'
import { until } from './until.ts'

let network: TestNetwork
let gateway: TestGateway
let worker: TestWorker
let priced: string
let free: string
const owner = newKey().account

beforeAll(async () => {
  network = await startNetwork()
  gateway = await startTestGateway({ network })
  await network.rich(owner)
  await network.fund(owner, gateway.requester, 100_000_000n)
  priced = (await network.publish(owner, { name: 'priced', price: 1_000n })).path
  free = (await network.publish(owner, { name: 'free' })).path
  worker = await startTestWorker({ network, workerUrl: gateway.workerUrl })
  await worker.ready
})

afterAll(async () => {
  await worker?.stop()
  await gateway?.close()
  await network?.stop()
})

beforeEach(() => {
  worker.state.behave = () => ({ do: 'answer' })
  worker.seen.length = 0
})

/** Sends exactly these bytes: `fetch` would tidy them up. */
function raw(text: string | Buffer, options: { end?: boolean } = {}): Promise<string> {
  const { hostname, port } = new URL(gateway.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => (options.end ? socket.end(text) : socket.write(text)))
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
    socket.setTimeout(8_000, () => socket.destroy())
  })
}

const get = (target: string, headers = '', method = 'GET') =>
  raw(`${method} ${target} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n${headers}\r\n`)
const statusOf = (answer: string) => Number(answer.split(' ')[1])
const wallet = owner.address

describe('the price cannot be got round by the path', () => {
  test.each([
    ['as it is', '/{w}/demo/priced', 402],
    ['lower-case wallet', '/{l}/demo/priced', 402],
    ['escaped letters', '/{w}/dem%6f/%70riced', 402],
    ['escaped wallet', '/%30x{rest}/demo/priced', 402],
    ['a rest', '/{w}/demo/priced/anything', 402],
    ['a trailing slash', '/{w}/demo/priced/', 402],
    ['a query', '/{w}/demo/priced?free=1', 402],
    ['an escaped slash after the name', '/{w}/demo/priced%2Fx', 404],
    ['an escaped slash before the name', '/{w}/demo%2Fpriced', 404],
    ['an escaped slash in the rest', '/{w}/demo/priced/a%2Fb', 402],
    ['double slashes', '/{w}//demo/priced', 404],
    ['leading double slash', '//{w}/demo/priced', 404],
    ['double slash before the name', '/{w}/demo//priced', 404],
    ['double slash after the name', '/{w}/demo/priced//', 402],
    ['a dot segment', '/{w}/demo/./priced', 400],
    ['a parent segment', '/{w}/demo/free/../priced', 400],
    ['an escaped parent segment', '/{w}/demo/free/%2e%2e/priced', 400],
    ['a backslash', '/{w}/demo\\priced', 400],
    ['an escaped backslash', '/{w}/demo/priced%5C', 404],
    ['a broken escape', '/{w}/demo/priced%', 400],
    ['a broken escape of one digit', '/{w}/demo/priced%2', 400],
    ['upper-case name', '/{w}/demo/Priced', 404],
    ['a null byte', '/{w}/demo/priced%00', 404],
    ['a semicolon', '/{w}/demo/priced;x', 404],
    ['a fragment sign', '/{w}/demo/priced%23', 404],
    ['an overlong name', `/{w}/demo/priced/${'a/'.repeat(200)}`, 402],
  ])('%s', async (_, pattern, status) => {
    const target = pattern
      .replace('{w}', wallet)
      .replace('{l}', wallet.toLowerCase())
      .replace('{rest}', wallet.slice(2))
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'])
      expect(
        statusOf(await get(target, method === 'GET' || method === 'HEAD' ? '' : 'content-length: 0\r\n', method)),
        method,
      ).toBe(status)
    expect(worker.seen).toEqual([])
  })

  test('HEAD is priced like GET, and no method runs anything unpaid', async () => {
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'PURGE'])
      expect((await fetch(`${gateway.url}${priced}`, { method })).status, method).toBe(402)
    expect(worker.seen).toEqual([])
  })

  test('an absolute request target is refused', async () => {
    expect(statusOf(await get(`http://evil.test${priced}`))).toBe(400)
    expect(worker.seen).toEqual([])
  })

  test('the subdomain is the same function as the path, and has no other routes', async () => {
    const host = (name: string, target: string) =>
      raw(`GET ${target} HTTP/1.1\r\nhost: ${name}\r\nconnection: close\r\n\r\n`).then(statusOf)
    expect(await host(`${wallet.toLowerCase()}.peerhost.test`, '/demo/priced')).toBe(402)
    expect(await host(`${wallet}.PEERHOST.test:8080`, '/demo/priced')).toBe(402)
    expect(await host(`${wallet.toLowerCase()}.peerhost.test.`, '/demo/priced')).toBe(402)
    expect(await host(`${wallet.toLowerCase()}.peerhost.test`, '/demo/free')).toBe(200)
    expect(await host(`${wallet.toLowerCase()}.peerhost.test`, '/v1/network')).toBe(404)
    expect(await host(`x.${wallet.toLowerCase()}.peerhost.test`, '/demo/free')).toBe(404)
    expect(worker.seen).toHaveLength(1)
  })
})

describe('requests', () => {
  test('reach the function byte for byte, with allow-listed headers only', async () => {
    const body = new Uint8Array([0xef, 0xbb, 0xbf, 0x00, 0xff])
    await fetch(`${gateway.url}${free}/a%20b//c?x=1&x=2&y`, {
      method: 'POST',
      body,
      headers: { 'x-custom': 'kept', cookie: 'dropped', 'x-forwarded-for': 'dropped', 'content-type': 'a/b' },
    })
    expect(worker.seen[0]).toMatchObject({
      method: 'POST',
      path: '/a%20b//c',
      body: { base64: Buffer.from(body).toString('base64') },
    })
  })

  test('a body over the limit is refused: declared, chunked, or with a lying length', async () => {
    const tooMuch = 1_048_577
    expect(
      statusOf(await raw(`POST ${free} HTTP/1.1\r\nhost: h\r\ncontent-length: ${tooMuch}\r\n\r\n`, { end: true })),
    ).toBe(413)
    const chunk = Buffer.alloc(65_536, 97)
    const chunks = Buffer.concat(
      Array.from({ length: 17 }, () => Buffer.concat([Buffer.from('10000\r\n'), chunk, Buffer.from('\r\n')])),
    )
    const head = `POST ${free} HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n`
    expect(statusOf(await raw(Buffer.concat([Buffer.from(head), chunks])))).toBe(413)
    const short = await raw(`POST ${free} HTTP/1.1\r\nhost: h\r\ncontent-length: 100\r\n\r\nshort`, { end: true })
    expect(short === '' || statusOf(short) === 400).toBe(true)
    expect(worker.seen).toEqual([])
  })

  test('a response passes through untouched, and cannot speak for the gateway', async () => {
    worker.state.behave = () => ({
      do: 'answer',
      status: 418,
      body: '<b>',
      headers: [
        ['content-type', 'text/html'],
        ['access-control-allow-origin', 'https://only.example'],
        ['access-control-expose-headers', 'x-mine'],
        ['x-mine', '1'],
      ],
    })
    const response = await fetch(`${gateway.url}${free}`)
    expect(response.status).toBe(418)
    expect(await response.text()).toBe('<b>')
    expect(response.headers.get('content-type')).toBe('text/html')
    expect(response.headers.get('access-control-allow-origin')).toBe('https://only.example')
    expect(response.headers.get('access-control-expose-headers')).toMatch(/^x-mine, payment-required/)
    expect(response.headers.get('etag')).toBeNull()
    expect(response.headers.get('x-powered-by')).toBeNull()
  })

  test('what was paid for is not kept by shared caches, whatever the function says', async () => {
    worker.state.behave = () => ({ do: 'answer', headers: [['cache-control', 'public, max-age=60, s-maxage=600']] })
    const payer = newKey()
    await network.rich(payer.account)
    const response = await payerV2(payer)(`${gateway.url}${priced}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('private, max-age=60')
  })

  test('a preflight is answered before anything else and allows what x402 clients send', async () => {
    const response = await fetch(`${gateway.url}${priced}`, {
      method: 'OPTIONS',
      headers: { 'access-control-request-headers': 'payment-signature, x-special, bad name' },
    })
    expect(response.status).toBe(204)
    const allowed = response.headers.get('access-control-allow-headers')
    for (const name of ['payment-signature', 'x-payment', 'access-control-expose-headers', 'x-special'])
      expect(allowed).toContain(name)
    expect(allowed).not.toContain('bad name')
    expect(worker.seen).toEqual([])
  })

  test('request ids and traces are passed on, nonsense is not', async () => {
    const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const kept = await fetch(`${gateway.url}${free}`, { headers: { 'x-request-id': 'mine-1', traceparent: trace } })
    expect(kept.headers.get('x-request-id')).toBe('mine-1')
    expect(kept.headers.get('traceparent')).toBe(trace)
    const made = await fetch(`${gateway.url}${free}`, { headers: { 'x-request-id': '<x>', traceparent: 'nonsense' } })
    expect(made.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(made.headers.get('traceparent')).toBeNull()
  })

  test('an unknown lane is refused', async () => {
    const response = await fetch(`${gateway.url}${free}`, { headers: { 'peerhost-lane': 'fast' } })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ code: 'request_invalid', retryable: false })
  })

  test('too many requests from one address are 429 before anything is charged', { timeout: 90_000 }, async () => {
    const limited = await startTestGateway({
      network,
      settings: { rateLimitPerMinute: 2, trustedProxies: 1 },
    })
    try {
      const ask = () => fetch(`${limited.url}${priced}`, { headers: { 'x-forwarded-for': '203.0.113.9' } })
      expect((await ask()).headers.get('ratelimit')).toMatch(/^"default";r=1;t=\d+$/)
      expect((await ask()).headers.get('ratelimit-policy')).toBe('"default";q=2;w=60')
      const third = await ask()
      expect(third.status).toBe(429)
      expect(Number(third.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(await third.json()).toMatchObject({ code: 'rate_limited' })
    } finally {
      await limited.close()
    }
  })
})

describe('routes', () => {
  test('the network describes itself, and is ready with a worker', async () => {
    const info = await (await fetch(`${gateway.url}/v1/network`)).json()
    expect(info).toMatchObject({
      chainId: 84_532,
      networkName: 'base-sepolia',
      requester: gateway.requester,
      token: { name: 'USDC', version: '2', symbol: expect.any(String), decimals: 6 },
      x402: { networks: ['eip155:84532', 'base-sepolia'] },
      workers: 1,
    })
    expect(await (await fetch(`${gateway.url}/livez`)).json()).toEqual({ status: 'ok' })
    const ready = await fetch(`${gateway.url}/readyz`)
    expect(ready.status).toBe(200)
    expect(await ready.json()).toMatchObject({ checks: { database: true, chain: true, workers: true } })
  })

  test('functions are listed with their price, and filtered', async () => {
    const list = async (query: string) =>
      (
        (await (await fetch(`${gateway.url}/v1/functions?${query}`)).json()) as {
          functions: { name: string; functionId: string }[]
        }
      ).functions
    expect((await list(`creator=${wallet.toLowerCase()}`)).map(({ name }) => name).sort()).toEqual(['free', 'priced'])
    expect((await list('priced=true')).map(({ name }) => name)).toEqual(['priced'])
    expect(await list('project=nothing')).toEqual([])
    const [card] = await list('priced=true')
    expect(await (await fetch(`${gateway.url}/v1/functions/${card?.functionId}`)).json()).toMatchObject({
      price: '1000',
      payee: wallet,
      url: `${gateway.url}/${wallet.toLowerCase()}/demo/priced`,
      paymentMode: 'after',
      assurance: 'verified',
    })
    expect((await fetch(`${gateway.url}/v1/functions/0x00`)).status).toBe(404)
    expect((await fetch(`${gateway.url}/v1/functions?cursor=nonsense`)).status).toBe(400)
  })

  test('a deployment is live at once, with its methods as soon as its metadata is stored', async () => {
    const bytes = encodeCanonicalJson({
      v: 1,
      name: 'described',
      description: 'Says hello.',
      methods: ['GET'],
      runtime: 'node24',
      bundleCid: 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy',
    })
    const metadataDigest: Hex = `0x${createHash('sha256').update(bytes).digest('hex')}`
    await gateway.store.put(bytes)
    const { path, functionId } = await network.publish(owner, { name: 'described', metadataDigest })
    expect((await fetch(`${gateway.url}${path}`)).status).toBe(200)
    await until(async () => (await fetch(`${gateway.url}${path}`, { method: 'POST' })).status === 405)
    const refused = await fetch(`${gateway.url}${path}`, { method: 'POST' })
    expect(refused.headers.get('allow')).toBe('GET, HEAD')
    expect(await refused.json()).toMatchObject({ code: 'method_not_allowed' })
    expect((await fetch(`${gateway.url}${path}`, { method: 'HEAD' })).status).toBe(200)
    expect(await (await fetch(`${gateway.url}/v1/functions/${functionId}`)).json()).toMatchObject({
      description: 'Says hello.',
    })
  })

  test('the longest function name wins', async () => {
    await network.publish(owner, { name: 'nest' })
    await network.publish(owner, { name: 'nest/deep', price: 5n })
    const path = `/${wallet}/demo/nest`
    await until(async () => (await fetch(`${gateway.url}${path}/deep/er`)).status === 402)
    expect((await fetch(`${gateway.url}${path}/deeper`)).status).toBe(200)
    expect(worker.seen.at(-1)?.path).toBe('/deeper')
  })

  test('what was asked and answered is shown to who has the salt only', async () => {
    const response = await fetch(`${gateway.url}${free}`)
    const id = response.headers.get('peerhost-request-id')
    const transcript = (salt?: string) =>
      fetch(`${gateway.url}/v1/requests/${id}/transcript`, salt ? { headers: { 'peerhost-salt': salt } } : {})
    expect((await transcript()).status).toBe(404)
    expect((await transcript(`0x${'0'.repeat(64)}`)).status).toBe(404)
    expect((await transcript(worker.seen[0]?.salt)).status).toBe(200)
    const status = await (await fetch(`${gateway.url}/v1/requests/${id}`)).text()
    expect(status).not.toContain(worker.seen[0]?.salt.slice(2))
    expect((await fetch(`${gateway.url}/v1/requests/0x${'1'.repeat(64)}`)).status).toBe(404)
    expect((await fetch(`${gateway.url}/v1/requests/nonsense`)).status).toBe(404)
  })
})

describe('blocks', () => {
  const bytes = new TextEncoder().encode('module.exports = 1')
  const cid = blockCid(bytes)
  const digest: Hex = `0x${createHash('sha256').update(bytes).digest('hex')}`

  async function authorization(signer: Keyed, change: { deadline?: number; digest?: Hex; address?: string } = {}) {
    const deadline = change.deadline ?? Math.floor(Date.now() / 1_000) + 60
    const message = { protocolVersion: PROTOCOL_VERSION, digest: change.digest ?? digest, deadline }
    const signature = await signer.account.sign({ hash: hashBlockUpload(network.domain, message) })
    const value = { address: change.address ?? signer.account.address, deadline, signature }
    return `PeerHost ${Buffer.from(JSON.stringify(value)).toString('base64')}`
  }
  const put = (header: string | undefined, body: Uint8Array = bytes) =>
    fetch(`${gateway.url}/ipfs/${cid}`, {
      method: 'PUT',
      body: Buffer.from(body),
      headers: header ? { authorization: header } : {},
    })

  test('are stored for who signs, and served to everyone', async () => {
    const signer = newKey()
    expect((await put(await authorization(signer))).status).toBe(201)
    const got = await fetch(`${gateway.url}/ipfs/${cid}?format=raw`)
    expect(new Uint8Array(await got.arrayBuffer())).toEqual(bytes)
    expect(got.headers.get('content-type')).toBe('application/vnd.ipld.raw')
    expect(got.headers.get('x-content-type-options')).toBe('nosniff')
    const head = await fetch(`${gateway.url}/ipfs/${cid}`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
  })

  test.each([
    ['unsigned', async () => undefined, 401],
    ['nonsense', async () => 'PeerHost !!!', 401],
    ['too old', (s: Keyed) => authorization(s, { deadline: 1 }), 401],
    ['good for ever', (s: Keyed) => authorization(s, { deadline: 4_000_000_000 }), 401],
    ['signed for another block', (s: Keyed) => authorization(s, { digest: `0x${'1'.repeat(64)}` }), 401],
    ['signed by another wallet', (s: Keyed) => authorization(s, { address: newKey().account.address }), 401],
  ] as const)('are not stored: %s', async (_, header, status) => {
    expect((await put(await header(newKey()))).status).toBe(status)
  })

  test('are not stored under a CID of other bytes', async () => {
    expect((await put(await authorization(newKey()), new Uint8Array([1]))).status).toBe(502)
  })

  test('unknown and malformed CIDs', async () => {
    expect((await fetch(`${gateway.url}/ipfs/${blockCid(new Uint8Array([9, 9]))}`)).status).toBe(404)
    expect((await fetch(`${gateway.url}/ipfs/nonsense`)).status).toBe(400)
  })
})

describe('the facilitator', () => {
  const post = (use: string, body: unknown) =>
    fetch(`${gateway.url}/x402/${use}`, { method: 'POST', body: JSON.stringify(body) })

  test('says what it supports, for both generations', async () => {
    expect(await (await fetch(`${gateway.url}/x402/supported`)).json()).toMatchObject({
      kinds: [
        { x402Version: 2, scheme: 'exact', network: 'eip155:84532' },
        { x402Version: 1, scheme: 'exact', network: 'base-sepolia' },
      ],
    })
  })

  test('pays gas for nobody who sells nothing here, and survives nonsense', async () => {
    const paymentRequirements = {
      scheme: 'exact',
      network: 'eip155:84532',
      asset: network.addresses.token,
      payTo: newKey().account.address,
    }
    const body = { x402Version: 2, paymentPayload: { x402Version: 2, payload: {} }, paymentRequirements }
    expect(await (await post('settle', body)).json()).toMatchObject({
      success: false,
      errorReason: 'unsupported_payee',
    })
    const here = { ...body, paymentRequirements: { ...paymentRequirements, payTo: wallet } }
    expect(await (await post('verify', here)).json()).toMatchObject({ isValid: false })
    expect(await (await post('settle', here)).json()).toMatchObject({ success: false })
    expect((await post('settle', 'x')).status).toBe(400)
    expect((await post('other', body)).status).toBe(404)
  })
})
