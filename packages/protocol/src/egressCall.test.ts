import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalEgressCall, decodeEgressCall, encodeEgressCall, type RawEgressCall } from './egressCall.ts'
import { LIMITS } from './limits.ts'

const raw = (changes: Partial<RawEgressCall> = {}): RawEgressCall => ({
  method: 'GET',
  url: 'https://api.example.com/v1?q=a',
  headers: [],
  body: new Uint8Array(),
  ...changes,
})
const codeOf = (changes: Partial<RawEgressCall>) => {
  const result = canonicalEgressCall(raw(changes))
  return result.ok ? undefined : result.code
}

describe('canonicalEgressCall', () => {
  it('gives one spelling to what is the same call', () => {
    const a = canonicalEgressCall(
      raw({
        method: 'post',
        url: 'HTTPS://API.example.com:443/a/../b#part',
        headers: [
          ['X-B', ' 2 '],
          ['x-a', '1'],
        ],
      }),
    )
    const b = canonicalEgressCall(
      raw({
        method: 'POST',
        url: 'https://api.example.com/b',
        headers: [
          ['x-a', '1'],
          ['x-b', '2'],
        ],
      }),
    )
    expect(a).toEqual(b)
    expect(a).toMatchObject({ call: { method: 'POST', url: 'https://api.example.com/b' } })
  })

  it('spells an address in any disguise as the address that it is', () => {
    for (const host of ['2130706433', '0x7f.1', '0177.0.0.1', '127.1', '127.0.0.1'])
      expect(canonicalEgressCall(raw({ url: `https://${host}/` }))).toMatchObject({
        call: { url: 'https://127.0.0.1/' },
      })
  })

  it('drops the headers of the connection and keeps the order of equal names', () => {
    const headers = [
      ['Host', 'other.example'],
      ['Connection', 'x-hop'],
      ['Transfer-Encoding', 'chunked'],
      ['Content-Length', '9'],
      ['Proxy-Authorization', 'x'],
      ['X-Forwarded-For', '10.0.0.1'],
      ['Accept-Encoding', 'br'],
      ['x-one', 'b'],
      ['x-one', 'a'],
    ] as const
    expect(canonicalEgressCall(raw({ headers }))).toMatchObject({
      call: {
        headers: [
          ['x-one', 'b'],
          ['x-one', 'a'],
        ],
      },
    })
  })

  it.each([
    ['http', { url: 'http://api.example.com/' }, 'egress_url_refused'],
    ['a file', { url: 'file:///etc/passwd' }, 'egress_url_refused'],
    ['a path', { url: '/v1' }, 'egress_url_refused'],
    ['a user', { url: 'https://api.example.com@evil.example/' }, 'egress_url_refused'],
    ['a password', { url: 'https://a:b@api.example.com/' }, 'egress_url_refused'],
    ['a method that is none', { method: 'CONNECT' }, 'egress_call_invalid'],
    ['a GET with a body', { body: new Uint8Array(1) }, 'egress_call_invalid'],
    ['a header that splits', { headers: [['x-a', 'b\r\nhost: evil']] }, 'egress_call_invalid'],
    ['a header name that is none', { headers: [['x a', 'b']] }, 'egress_call_invalid'],
    ['a long header', { headers: [['x-a', 'b'.repeat(LIMITS.headerValueCharacters + 1)]] }, 'egress_request_too_large'],
    [
      'a large body',
      { method: 'POST', body: new Uint8Array(LIMITS.egressRequestBytes + 1) },
      'egress_request_too_large',
    ],
    ['a long URL', { url: `https://a.example/${'b'.repeat(LIMITS.egressUrlCharacters)}` }, 'egress_request_too_large'],
  ] as [string, Partial<RawEgressCall>, string][])('refuses %s', (_, changes, code) => {
    expect(codeOf(changes)).toBe(code)
  })

  it('is read back from its bytes, and only from those', () => {
    fc.assert(
      fc.property(
        fc.webUrl({ validSchemes: ['https'], withQueryParameters: true }),
        fc.uint8Array({ maxLength: 40 }),
        fc.array(fc.tuple(fc.stringMatching(/^x-[a-z]{1,5}$/), fc.stringMatching(/^[!-~]{0,9}$/)), { maxLength: 5 }),
        (url, body, headers) => {
          const made = canonicalEgressCall(raw({ method: 'POST', url, body, headers }))
          if (!made.ok) throw new Error(made.message)
          expect(decodeEgressCall(encodeEgressCall(made.call))).toEqual(made.call)
        },
      ),
    )
    const { call } = canonicalEgressCall(raw()) as { call: Parameters<typeof encodeEgressCall>[0] }
    for (const change of [
      { url: 'https://api.example.com:443/v1?q=a' },
      { url: 'http://api.example.com/v1?q=a' },
      { method: 'get' },
      { headers: [['Host', 'x']] },
      {
        headers: [
          ['x-b', '1'],
          ['x-a', '1'],
        ],
      },
      { body: 'eA' },
    ])
      expect(() => decodeEgressCall(encodeEgressCall({ ...call, ...change } as typeof call))).toThrow('canonical')
  })
})
