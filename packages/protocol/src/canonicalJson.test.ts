import { canonicalize as independent } from 'json-canonicalize'
import { describe, expect, test } from 'vitest'
import { decodeCanonicalJson, encodeCanonicalJson } from './canonicalJson.ts'

const text = (bytes: Uint8Array) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
const bytes = (value: string) => new TextEncoder().encode(value)

describe('encodeCanonicalJson', () => {
  test('orders keys by UTF-16 code units, integer-like and empty ones too', () => {
    expect(text(encodeCanonicalJson({ 10: 1, 9: 2, a: 3, '': 4 }))).toBe('{"":4,"10":1,"9":2,"a":3}')
  })

  test('agrees with another implementation of RFC 8785', () => {
    const value = {
      '\u20ac': 'Euro',
      '\r': 'CR',
      '1': 'one',
      '\u0080': 'control',
      '\ud83d\ude00': 'smile',
      ö: ['\u2028', '\t\n\\"/'],
    }
    expect(text(encodeCanonicalJson(value))).toBe(independent(value))
  })

  test('keeps __proto__ as an ordinary key', () => {
    const value = JSON.parse('{"__proto__":1,"b":2}') as { b: number }
    expect(text(encodeCanonicalJson(value))).toBe('{"__proto__":1,"b":2}')
  })

  test.each([
    ['a float', 1.5],
    ['an unsafe integer', 2 ** 53],
    ['NaN', Number.NaN],
    ['negative zero', -0],
    ['a lone surrogate', '\ud800'],
    ['a lone surrogate in a key', { '\udc00': 1 }],
    ['undefined in an object', { a: undefined }],
    ['a bigint', 1n],
  ])('refuses %s', (_, value) => {
    expect(() => encodeCanonicalJson(value as never)).toThrowError(expect.objectContaining({ code: 'request_invalid' }))
  })
})

describe('decodeCanonicalJson', () => {
  test('reads back what was encoded', () => {
    const value = { a: [1, 'x', null, true], b: { c: '\u0000' } }
    expect(decodeCanonicalJson(encodeCanonicalJson(value))).toEqual(value)
  })

  test.each([
    ['white space', '{"a": 1}'],
    ['another key order', '{"b":1,"a":2}'],
    ['a duplicate key', '{"a":1,"a":2}'],
    ['another escape', '"\\u0041"'],
    ['another number form', '1.0'],
    ['a BOM', '\ufeff{}'],
    ['no JSON', '{'],
  ])('refuses %s', (_, value) => {
    expect(() => decodeCanonicalJson(bytes(value))).toThrowError(expect.objectContaining({ code: 'request_invalid' }))
  })

  test('refuses bytes that are not UTF-8', () => {
    expect(() => decodeCanonicalJson(Uint8Array.of(0x22, 0xff, 0x22))).toThrowError('UTF-8')
  })
})
