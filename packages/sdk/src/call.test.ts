import { canonicalQuery } from '@peerhost/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CallParameters, prepareCall } from './call.ts'
import type { Connection } from './connection.ts'

/** No call by URL asks anybody anything. */
const connection = {} as Connection
const prepare = (parameters: Omit<CallParameters, 'functionId'>) =>
  prepareCall(connection, { url: 'http://localhost/0x/weather/now', ...parameters })
const refused = expect.objectContaining({ code: 'request_invalid' })

describe('prepareCall', () => {
  test('puts path and query behind the function’s URL', async () => {
    expect((await prepare({ path: '/a/%2Fb', query: 'c=d' })).url).toBe('http://localhost/0x/weather/now/a/%2Fb?c=d')
    expect((await prepare({ url: 'http://localhost/f/?a=1#hash', path: '/b', query: '?c=2' })).url).toBe(
      'http://localhost/f/b?a=1&c=2',
    )
    expect((await prepare({ query: { city: 'Oslo & more', days: 3, now: true } })).url).toContain(
      '?city=Oslo%20%26%20more&days=3&now=true',
    )
    expect((await prepare({ path: '/' })).url).toBe('http://localhost/0x/weather/now')
  })

  /** What `fetch` would add anyway: it is part of what the function sees, and of what is paid for. */
  const platform = [
    ['accept', '*/*'],
    ['accept-language', '*'],
    ['user-agent', 'node'],
  ]

  test('lets the caller choose those headers', async () => {
    const { headers } = await prepare({ headers: { Accept: 'text/html', 'user-agent': 'me' } })
    expect(headers).toEqual([
      ['accept', 'text/html'],
      ['user-agent', 'me'],
      ['accept-language', '*'],
    ])
  })

  test('chooses method and content type, and keeps bytes as they are', async () => {
    expect(await prepare({})).toMatchObject({ method: 'GET', headers: platform, body: undefined })
    const json = await prepare({ json: { a: 1 } })
    expect(json).toMatchObject({ method: 'POST', headers: [['content-type', 'application/json'], ...platform] })
    expect(new TextDecoder().decode(json.body)).toBe('{"a":1}')
    const typed = await prepare({ json: null, headers: { 'Content-Type': 'application/ld+json' }, method: 'put' })
    expect(typed).toMatchObject({ method: 'PUT', headers: [['content-type', 'application/ld+json'], ...platform] })
    const bytes = new Uint8Array([0, 255, 10])
    expect((await prepare({ body: bytes })).body).toBe(bytes)
    expect((await prepare({ lane: 'confirmed' })).headers).toEqual([['peerhost-lane', 'confirmed'], ...platform])
  })

  test('refuses what cannot be sent, and headers that would pay behind its back', async () => {
    for (const parameters of [
      { url: 'ftp://localhost/x' },
      { url: 'nothing' },
      { path: '/../x' },
      { path: 'x' },
      { path: '/%zz' },
      { body: 'x', method: 'GET' },
      { body: 'x', json: 1 },
      { headers: { 'Payment-Signature': 'x' } },
      { headers: [['X-PAYMENT', 'x']] as const },
    ]) {
      await expect(prepare(parameters), JSON.stringify(parameters)).rejects.toEqual(refused)
    }
    await expect(prepareCall(connection, {})).rejects.toEqual(refused)
    await expect(prepareCall(connection, { url: 'http://localhost', functionId: '0x' })).rejects.toEqual(refused)
  })

  test('sends every query so that it is read back the same', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(text, text), { maxLength: 5 }), async (query) => {
        const { url } = await prepare({ query })
        expect(canonicalQuery(new URL(url).search.slice(1))).toEqual(query)
      }),
    )
  })
})
