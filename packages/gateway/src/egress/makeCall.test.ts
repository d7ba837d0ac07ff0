import { gzipSync } from 'node:zlib'
import { canonicalEgressCall, type EgressAnswer, fromBase64, LIMITS, type NetworkAccess } from '@peerhost/protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Outside, outsideAddress, startOutside, testNetwork } from '../../test/outside.ts'
import type { EgressNetwork } from './egressNetwork.ts'
import { makeCall } from './makeCall.ts'

const secret = 'sk-1234567890abcdef'
let outside: Outside
let inside: Outside
let cut: AbortController
let names: Parameters<typeof testNetwork>[0]
let network: EgressNetwork

beforeAll(async () => {
  outside = await startOutside((seen, response) => {
    const path = new URL(seen.url, 'http://x').pathname
    const to = (location: string, status = 302) => response.writeHead(status, { location }).end('moved')
    if (path === '/echo') return response.end(JSON.stringify(seen.headers))
    if (path === '/cookies') return response.setHeader('set-cookie', 'a=b').setHeader('x-kept', 'yes').end('c')
    if (path === '/large') return response.end(Buffer.alloc(5_000))
    if (path === '/endless') {
      const pour = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      }
      response.on('drain', pour)
      return pour()
    }
    if (path === '/slow') return void response.write('begun')
    if (path === '/silent') return
    if (path === '/bomb') return response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(50_000)))
    if (path === '/gzip') return response.setHeader('content-encoding', 'gzip').end(gzipSync('small'))
    if (path === '/gzip-echo')
      return response.setHeader('content-encoding', 'gzip').end(gzipSync(String(seen.headers.authorization)))
    if (path === '/odd') return response.setHeader('content-encoding', 'zstd').end('x')
    if (path === '/broken') return response.destroy()
    if (path === '/to-inside') return to(`https://127.0.0.1:${inside.port}/`)
    if (path === '/to-private-name') return to(`https://private.test:${outside.port}/`)
    if (path === '/to-metadata') return to('https://[::ffff:a9fe:a9fe]/latest')
    if (path === '/to-http') return to(`http://api.test:${outside.port}/`)
    if (path === '/to-user') return to(`https://a:b@api.test:${outside.port}/`)
    if (path === '/to-other') return to(`https://other.test:${outside.port}/seen`)
    if (path === '/to-other-and-back') return to(`https://other.test:${outside.port}/back`)
    if (path === '/back') return to(`https://api.test:${outside.port}/seen`)
    if (path === '/to-self') return to('/seen', 307)
    if (path === '/see-other') return to('/seen', 303)
    if (path === '/loop') return to('/loop')
    response.setHeader('x-from', String(seen.headers.host)).end('hello')
  })
  inside = await startOutside((_, response) => response.end('the metadata service'), '127.0.0.1')
})
afterAll(async () => {
  await outside.stop()
  await inside.stop()
})
beforeEach(() => {
  outside.seen.length = 0
  inside.seen.length = 0
  cut = new AbortController()
  names = {
    'api.test': [outsideAddress],
    'other.test': [outsideAddress],
    'private.test': ['127.0.0.1'],
  }
  network = testNetwork(names)
})

function access(extra: readonly string[] = []): NetworkAccess {
  const port = outside.port
  const headers = { authorization: 'Bearer {{API_KEY}}', 'x-version': '2' }
  const others = [`other.test:${port}`, ...extra].map((host) => ({ host, headers: {} }))
  return { hosts: [{ host: `api.test:${port}`, headers }, ...others], maxCalls: 8 }
}

type Options = {
  method?: string
  headers?: [string, string][]
  body?: string
  access?: NetworkAccess
  secrets?: Map<string, string>
  maxResponseBytes?: number
  budget?: number
}

async function call(url: string, options: Options = {}): Promise<EgressAnswer> {
  const { method = 'GET', headers = [], body = '' } = options
  const made = canonicalEgressCall({ method, url, headers, body: new TextEncoder().encode(body) })
  if (!made.ok) throw new Error(made.message)
  let left = options.budget ?? LIMITS.egressTotalBytes
  const terms = {
    access: options.access ?? access(),
    secrets: options.secrets ?? new Map([['API_KEY', secret]]),
    maxResponseBytes: options.maxResponseBytes ?? LIMITS.egressResponseBytes,
    spend: (bytes: number) => {
      left -= bytes
      return left >= 0
    },
  }
  return makeCall(network, made.call, terms, cut.signal)
}

const at = (path: string, host = 'api.test') => `https://${host}:${outside.port}${path}`
const codeOf = (answer: EgressAnswer) => (answer.type === 'refused' ? answer.code : answer.status)
const textOf = (answer: EgressAnswer) =>
  answer.type === 'answered' ? new TextDecoder().decode(fromBase64(answer.body)) : answer.code

describe('a call that is allowed', () => {
  it('goes out with the broker’s headers and comes back whole', async () => {
    const answer = await call(at('/x?q=1'), { method: 'POST', headers: [['x-own', 'mine']], body: 'sent' })
    expect(answer).toMatchObject({ type: 'answered', status: 200, url: at('/x?q=1'), redirected: false })
    expect(textOf(answer)).toBe('hello')
    expect(outside.seen).toMatchObject([{ method: 'POST', url: '/x?q=1', body: 'sent' }])
    expect(outside.seen[0]?.headers).toMatchObject({
      host: `api.test:${outside.port}`,
      authorization: `Bearer ${secret}`,
      'x-version': '2',
      'x-own': 'mine',
      'accept-encoding': 'identity',
    })
  })

  it('cannot put another value in the place of the broker’s', async () => {
    await call(at('/'), {
      headers: [
        ['Authorization', 'Bearer mine'],
        ['x-version', '1'],
      ],
    })
    expect(outside.seen[0]?.headers).toMatchObject({ authorization: `Bearer ${secret}`, 'x-version': '2' })
  })

  it('keeps no cookies and shows none', async () => {
    const answer = await call(at('/cookies'))
    expect(answer).toMatchObject({ headers: expect.arrayContaining([['x-kept', 'yes']]) })
    expect(JSON.stringify(answer)).not.toContain('a=b')
    await call(at('/'))
    expect(outside.seen[1]?.headers.cookie).toBeUndefined()
  })

  it('is decompressed', async () => expect(textOf(await call(at('/gzip')))).toBe('small'))
})

describe('where a call may go', () => {
  it.each([
    ['another host', 'https://evil.test/'],
    ['another port', 'https://api.test/'],
    ['an address', 'https://127.0.0.1/'],
    ['an address in decimal', 'https://2130706433/'],
    ['an address in octal', 'https://0177.0.0.1/'],
    ['an IPv6 address', 'https://[::1]/'],
    ['an IPv4 address inside an IPv6 one', 'https://[::ffff:127.0.0.1]/'],
  ])('not to %s', async (_, url) => {
    expect(codeOf(await call(url))).toBe('egress_host_not_allowed')
  })

  it.each([
    ['this machine', ['127.0.0.1']],
    ['the metadata service', ['169.254.169.254']],
    ['an IPv4 address inside an IPv6 one', ['::ffff:127.0.0.1']],
    ['a private address behind a public one', [outsideAddress, '10.0.0.1']],
    ['what is no address', ['2130706433']],
  ])('not to a name that leads to %s', async (_, addresses) => {
    names['api.test'] = addresses
    expect(codeOf(await call(at('/')))).toBe('egress_address_refused')
    expect([...outside.seen, ...inside.seen]).toEqual([])
  })

  it('not where the name leads when it is asked a second time', async () => {
    const port = inside.port
    let asked = 0
    names['rebind.test'] = () => (asked++ === 0 ? [outsideAddress] : ['127.0.0.1'])
    const list = access([`rebind.test:${port}`])
    // Nothing listens at this port of the address that was checked.
    expect(codeOf(await call(`https://rebind.test:${port}/`, { access: list }))).toBe('egress_unreachable')
    expect(asked).toBe(1)
    expect(codeOf(await call(`https://rebind.test:${port}/`, { access: list }))).toBe('egress_address_refused')
    expect(inside.seen).toEqual([])
  })

  it('not to a name that nobody knows', async () => {
    const list = access(['nowhere.test'])
    expect(codeOf(await call('https://nowhere.test/', { access: list }))).toBe('egress_unreachable')
  })
})

describe('a redirect', () => {
  it.each([
    ['to an address of this machine', '/to-inside', 'egress_redirect_refused'],
    ['to the metadata service in disguise', '/to-metadata', 'egress_redirect_refused'],
    ['to plain http', '/to-http', 'egress_redirect_refused'],
    ['to a URL with a user', '/to-user', 'egress_redirect_refused'],
    ['to itself for ever', '/loop', 'egress_redirect_refused'],
  ])('%s is refused', async (_, path, code) => {
    expect(codeOf(await call(at(path)))).toBe(code)
    expect(inside.seen).toEqual([])
  })

  it('to a declared name that leads inside is refused', async () => {
    const list = access([`private.test:${outside.port}`])
    expect(codeOf(await call(at('/to-private-name'), { access: list }))).toBe('egress_address_refused')
  })

  it('follows three times at most', async () => {
    await call(at('/loop'))
    expect(outside.seen).toHaveLength(LIMITS.egressRedirects + 1)
  })

  it('to another host carries neither the secret nor the function’s own authority', async () => {
    const answer = await call(at('/to-other'), {
      headers: [
        ['cookie', 'mine'],
        ['x-own', 'stays'],
      ],
    })
    expect(answer).toMatchObject({ status: 200, url: at('/seen', 'other.test'), redirected: true })
    expect(outside.seen[1]?.headers).toMatchObject({ host: `other.test:${outside.port}`, 'x-own': 'stays' })
    for (const name of ['authorization', 'cookie', 'x-version']) expect(outside.seen[1]?.headers[name]).toBeUndefined()
  })

  it('that comes back from another host does not bring the secret along', async () => {
    expect(codeOf(await call(at('/to-other-and-back')))).toBe(200)
    expect(outside.seen.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${secret}`, undefined, undefined])
  })

  it('within the host keeps secret, method and body', async () => {
    await call(at('/to-self'), { method: 'PUT', body: 'again' })
    expect(outside.seen[1]).toMatchObject({ method: 'PUT', body: 'again', url: '/seen' })
    expect(outside.seen[1]?.headers.authorization).toBe(`Bearer ${secret}`)
  })

  it('to see another becomes a GET without a body', async () => {
    await call(at('/see-other'), { method: 'POST', body: 'once', headers: [['content-type', 'text/plain']] })
    expect(outside.seen[1]).toMatchObject({ method: 'GET', body: '' })
    expect(outside.seen[1]?.headers['content-type']).toBeUndefined()
  })
})

describe('limits', () => {
  it('end an answer that is too large, or never ends', async () => {
    expect(codeOf(await call(at('/large'), { maxResponseBytes: 4_999 }))).toBe('egress_response_too_large')
    expect(codeOf(await call(at('/large'), { maxResponseBytes: 5_000 }))).toBe(200)
    expect(codeOf(await call(at('/endless')))).toBe('egress_response_too_large')
    expect(codeOf(await call(at('/bomb'), { maxResponseBytes: 49_999 }))).toBe('egress_response_too_large')
    expect(codeOf(await call(at('/large'), { budget: 4_999 }))).toBe('egress_budget_spent')
  })

  it.each(['/slow', '/silent'])('end %s', async (path) => {
    const answer = call(at(path))
    setTimeout(() => cut.abort(), 50)
    expect(codeOf(await answer)).toBe('egress_timed_out')
  })

  it('end a resolver that does not answer', async () => {
    network = { ...network, resolve: () => new Promise(() => undefined) }
    const answer = call(at('/'))
    cut.abort()
    expect(codeOf(await answer)).toBe('egress_timed_out')
  })
})

describe('what comes back wrong', () => {
  it.each([
    ['/broken', 'egress_unreachable'],
    ['/odd', 'egress_response_refused'],
  ])('%s', async (path, code) => expect(codeOf(await call(at(path)))).toBe(code))

  it.each(['/echo', '/gzip-echo'])('with the secret in it, as from %s, is withheld', async (path) => {
    const answer = await call(at(path))
    expect(codeOf(answer)).toBe('egress_secret_reflected')
    expect(JSON.stringify(answer)).not.toContain(secret)
  })

  it('without the secret set is not asked for at all', async () => {
    expect(codeOf(await call(at('/'), { secrets: new Map() }))).toBe('egress_secret_missing')
    expect(outside.seen).toEqual([])
  })
})
