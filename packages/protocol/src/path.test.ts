import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalPath, canonicalQuery, formatQuery } from './path.ts'

describe('canonicalPath', () => {
  test.each([
    ['', '/'],
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/%61%62', '/ab'],
    ['/a%2fb', '/a%2Fb'],
    ['/%7Euser', '/~user'],
    ['/a b', '/a%20b'],
    ['/ü', '/%C3%BC'],
    ['/%c3%bc', '/%C3%BC'],
    ['//a', '//a'],
  ])('%j becomes %j', (raw, path) => {
    expect(canonicalPath(raw)).toBe(path)
  })

  test.each([
    'a',
    '/../a',
    '/a/%2e%2E/b',
    '/.',
    '/a\\b',
    '/%',
    '/%4',
    '/%zz',
    '/a?b',
    '/a#b',
    '/\u0000',
    '/\n',
    '/\ud800',
  ])('refuses %j', (raw) => {
    expect(() => canonicalPath(raw)).toThrowError(expect.objectContaining({ code: 'request_invalid' }))
  })

  test('refuses a path over the limit', () => {
    expect(() => canonicalPath(`/${'a'.repeat(2_048)}`)).toThrowError(
      expect.objectContaining({ code: 'request_too_large' }),
    )
  })

  test('is idempotent', () => {
    fc.assert(
      fc.property(fc.webPath(), (raw) => {
        let once: string
        try {
          once = canonicalPath(raw)
        } catch {
          return
        }
        expect(canonicalPath(once)).toBe(once)
      }),
    )
  })
})

describe('canonicalQuery', () => {
  test.each([
    ['', []],
    [
      'a=1&a=2&b',
      [
        ['a', '1'],
        ['a', '2'],
        ['b', ''],
      ],
    ],
    ['a=b=c', [['a', 'b=c']]],
    ['a+b=%2B', [['a b', '+']]],
    ['&&a=1&', [['a', '1']]],
    ['%25=%2525', [['%', '%25']]],
    ['ü=%C3%BC', [['ü', 'ü']]],
    ['a[0]=x', [['a[0]', 'x']]],
  ])('%j becomes %j', (raw, pairs) => {
    expect(canonicalQuery(raw)).toEqual(pairs)
  })

  test.each(['a=%', 'a=%ff', 'a=%C3', '%zz', 'a=\ud800'])('refuses %j', (raw) => {
    expect(() => canonicalQuery(raw)).toThrowError(expect.objectContaining({ code: 'request_invalid' }))
  })

  test('reads back what formatQuery wrote', () => {
    const pair = fc.tuple(
      fc.string({ unit: 'grapheme', maxLength: 20, minLength: 1 }),
      fc.string({ unit: 'grapheme', maxLength: 20 }),
    )
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 10 }), (pairs) => {
        expect(canonicalQuery(formatQuery(pairs))).toEqual(pairs)
      }),
    )
  })
})
