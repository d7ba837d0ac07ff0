import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBody } from './body.ts'
import { encodeCanonicalJson } from './canonicalJson.ts'
import { canonicalRequest, decodeRequest, encodeRequest, type RawRequest } from './request.ts'

const raw = (over: Partial<RawRequest> = {}): RawRequest => ({
  method: 'get',
  path: '',
  query: '',
  headers: [],
  body: new Uint8Array(),
  ...over,
})

describe('canonicalRequest', () => {
  test('has one form', () => {
    const request = canonicalRequest(
      raw({
        method: 'post',
        path: '/a%2fb',
        query: 'x=1&x=2',
        headers: [
          ['X-B', ' two '],
          ['Content-Type', 'text/plain'],
          ['X-B', 'three'],
          ['Cookie', 'secret'],
          ['X-Payment', 'secret'],
          ['X-Forwarded-For', '1.2.3.4'],
        ],
        body: new TextEncoder().encode('\ufeffhi'),
      }),
    )
    expect(request).toEqual({
      v: 1,
      method: 'POST',
      path: '/a%2Fb',
      query: [
        ['x', '1'],
        ['x', '2'],
      ],
      headers: [
        ['content-type', 'text/plain'],
        ['x-b', 'two'],
        ['x-b', 'three'],
      ],
      body: { utf8: '\ufeffhi' },
    })
  })

  test('keeps the exact bytes of any body', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        expect(decodeBody(canonicalRequest(raw({ body })).body)).toEqual(body)
      }),
    )
  })

  test.each([
    ['a method with a space', { method: 'GE T' }, 'request_invalid'],
    ['a header with a line break', { headers: [['x-a', 'b\r\nc']] as const }, 'request_invalid'],
    ['a body over the limit', { body: new Uint8Array(1_048_577) }, 'request_too_large'],
    ['a header over the limit', { headers: [['x-a', 'b'.repeat(8_193)]] as const }, 'request_too_large'],
    [
      'too many headers',
      { headers: Array.from({ length: 65 }, (_, index) => [`x-${index}`, 'a'] as const) },
      'request_too_large',
    ],
  ])('refuses %s', (_, over, code) => {
    expect(() => canonicalRequest(raw(over))).toThrowError(expect.objectContaining({ code }))
  })
})

describe('decodeRequest', () => {
  test('reads back what was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), fc.string({ unit: 'grapheme', maxLength: 20 }), (body, value) => {
        const request = canonicalRequest(raw({ body, query: `q=${encodeURIComponent(value)}`, path: '/p' }))
        expect(decodeRequest(encodeRequest(request))).toEqual(request)
      }),
    )
  })

  const canonical = { v: 1, method: 'GET', path: '/', query: [], headers: [], body: { utf8: '' } }
  test.each([
    ['an unknown member', { ...canonical, extra: 1 }],
    ['another version', { ...canonical, v: 2 }],
    ['a lower-case method', { ...canonical, method: 'get' }],
    ['a path that is not canonical', { ...canonical, path: '/%61' }],
    [
      'headers out of order',
      {
        ...canonical,
        headers: [
          ['x-b', '1'],
          ['x-a', '1'],
        ],
      },
    ],
    ['a header that is not allowed', { ...canonical, headers: [['cookie', '1']] }],
    ['an upper-case header', { ...canonical, headers: [['X-A', '1']] }],
    ['text as base64', { ...canonical, body: { base64: 'aGk=' } }],
    ['both kinds of body', { ...canonical, body: { base64: '/w==', utf8: '' } }],
  ])('refuses %s', (_, value) => {
    expect(() => decodeRequest(encodeCanonicalJson(value as never))).toThrowError(
      expect.objectContaining({ code: 'request_invalid' }),
    )
  })
})
