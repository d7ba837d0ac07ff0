import { canonicalResult, encodeResult } from '@peerhost/protocol'
import { describe, expect, it } from 'vitest'
import { resultDifferences } from './resultDifferences.ts'

const resultOf = (body: string | Uint8Array, headers: [string, string][] = [], status = 200) =>
  encodeResult(
    canonicalResult({
      outcome: 'completed',
      status,
      headers,
      body: typeof body === 'string' ? new TextEncoder().encode(body) : body,
    }),
  )

describe('resultDifferences', () => {
  it('finds nothing between equal results', () => {
    expect(resultDifferences(resultOf('a', [['etag', '1']]), resultOf('a', [['etag', '1']]))).toEqual([])
  })

  it('names status, headers that differ and headers that are missing', () => {
    const one = resultOf('a', [
      ['etag', '1'],
      ['content-type', 'text/plain'],
    ])
    const other = resultOf(
      'a',
      [
        ['etag', '2'],
        ['cache-control', 'no-store'],
      ],
      201,
    )
    expect(resultDifferences(one, other)).toEqual(
      expect.arrayContaining([
        { where: 'status', first: '200', second: '201' },
        { where: 'header etag', first: '1', second: '2' },
        { where: 'header content-type', first: 'text/plain', second: undefined },
        { where: 'header cache-control', first: undefined, second: 'no-store' },
      ]),
    )
  })

  it('shows the first byte of the body that differs, with what is around it', () => {
    const before = 'x'.repeat(100)
    const [found] = resultDifferences(resultOf(`${before}{"depth":10}`), resultOf(`${before}{"depth":20}`))
    expect(found).toEqual({
      where: 'body',
      byte: 109,
      first: `…${'x'.repeat(15)}{"depth":10}`,
      second: `…${'x'.repeat(15)}{"depth":20}`,
    })
  })

  it('finds a body that is only longer, and bytes that are no text', () => {
    expect(resultDifferences(resultOf('ab'), resultOf('abc'))).toEqual([
      { where: 'body', byte: 2, first: 'ab', second: 'abc' },
    ])
    const [found] = resultDifferences(resultOf(Uint8Array.of(0, 1)), resultOf(Uint8Array.of(0, 2)))
    expect(found).toEqual({ where: 'body', byte: 1, first: '\\u0000\\u0001', second: '\\u0000\\u0002' })
  })
})
