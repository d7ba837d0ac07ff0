import { describe, expect, it } from 'vitest'
import { reflectsSecret } from './reflectsSecret.ts'

const secret = 'sk-live/9"+fA&zQ~1'
const answer = (text: string) => ({ headers: [], body: new TextEncoder().encode(text), url: 'https://a.example/' })
const base64 = (text: string) => Buffer.from(text).toString('base64')

describe('finds the secret', () => {
  it.each([
    ['as it is', `{"you sent": "Bearer ${secret}"}`],
    ['as JSON', JSON.stringify({ key: secret })],
    ['percent-encoded', `?key=${encodeURIComponent(secret)}`],
    ['percent-encoded in small letters', `?key=${encodeURIComponent(secret).toLowerCase()}`],
    ['in hex', Buffer.from(secret).toString('hex').toUpperCase()],
    ['in base64', base64(secret)],
    ['in base64 behind one byte', base64(`a${secret}`)],
    ['in base64 behind two', base64(`ab${secret}xyz`)],
    ['in base64 behind a user', base64(`user:${secret}`)],
    ['in base64 for URLs', Buffer.from(secret).toString('base64url')],
  ])('%s', (_, text) => expect(reflectsSecret([secret], answer(text))).toBe(true))

  it('in a header and in the URL', () => {
    expect(reflectsSecret([secret], { ...answer(''), headers: [['x-echo', secret]] })).toBe(true)
    const url = `https://a.example/?k=${encodeURIComponent(secret)}`
    expect(reflectsSecret([secret], { ...answer(''), url })).toBe(true)
  })

  it('in bytes that are no text', () => {
    const body = new Uint8Array([0xff, 0xfe, ...new TextEncoder().encode(secret), 0xff])
    expect(reflectsSecret([secret], { ...answer(''), body })).toBe(true)
  })
})

it('finds nothing where nothing is', () => {
  expect(reflectsSecret([secret], answer('sk-live/9'))).toBe(false)
  expect(reflectsSecret([secret], answer(base64('another text that has its own letters')))).toBe(false)
  expect(reflectsSecret([], answer(secret))).toBe(false)
})
