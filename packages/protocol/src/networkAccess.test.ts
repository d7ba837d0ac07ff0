import { describe, expect, it } from 'vitest'
import { accessTo, networkAccessSchema, secretsOf } from './networkAccess.ts'

const access = (...hosts: (string | { host: string; headers: Record<string, string> })[]) => ({
  hosts: hosts.map((one) => (typeof one === 'string' ? { host: one, headers: {} } : one)),
  maxCalls: 8,
})
const problem = (value: unknown) => networkAccessSchema.safeParse(value).error?.issues[0]?.message

describe('networkAccessSchema', () => {
  it.each(['api.example.com', '*.example.com', 'xn--bcher-kva.example', 'api.example.com:8443', 'a-b.c1.io'])(
    'takes %s',
    (host) => expect(problem(access(host))).toBeUndefined(),
  )

  it.each([
    'https://api.example.com',
    'api.example.com/v1',
    'API.example.com',
    'localhost',
    '*.com',
    '*',
    'a.*.example.com',
    '127.0.0.1',
    '1.2.3.0x7f',
    '[::1]',
    'user@example.com',
    'example.com.',
    'example.com:0',
    '-a.example.com',
  ])('refuses %s', (host) => expect(problem(access(host))).toContain('must be a host name'))

  it('refuses what says too much, too little or the same twice', () => {
    expect(problem(access())).toBeDefined()
    expect(problem(access(...Array.from({ length: 17 }, (_, index) => `h${index}.example.com`)))).toBeDefined()
    expect(problem(access('a.example', 'a.example'))).toBe('names a host twice.')
    expect(problem(access('a.example:65536'))).toContain('port')
    expect(problem({ ...access('a.example'), maxCalls: 33 })).toBeDefined()
  })

  it.each([
    [{ authorization: 'Bearer {{API_KEY}}' }, undefined],
    [{ 'x-version': '2' }, undefined],
    [{ authorization: 'Bearer {{api-key}}' }, 'cannot exist'],
    [{ authorization: 'Bearer {{API_KEY}' }, 'belongs to no secret'],
    [{ Authorization: 'x' }, 'lower-case'],
    [{ host: 'other.example' }, 'belongs to the connection'],
    [{ 'x-a': 'a\r\nb' }, 'printable ASCII'],
  ])('headers %j', (headers, message) => {
    const found = problem(access({ host: 'a.example', headers: headers as Record<string, string> }))
    if (message === undefined) expect(found).toBeUndefined()
    else expect(found).toContain(message)
  })

  it('gives no secret to a wildcard', () => {
    expect(problem(access({ host: '*.example.com', headers: { authorization: '{{KEY}}' } }))).toContain(
      'exact hosts only',
    )
    expect(problem(access({ host: '*.example.com', headers: { accept: 'a/b' } }))).toBeUndefined()
  })
})

describe('accessTo', () => {
  const list = access('api.example.com', '*.example.org', 'a.example.org', 'b.example.net:8443', 'c.example.net:443')
  it.each([
    ['https://api.example.com/x', 'api.example.com'],
    ['https://api.example.com:8443/', undefined],
    ['https://sub.api.example.com/', undefined],
    ['https://example.org/', undefined],
    ['https://x.example.org/', '*.example.org'],
    ['https://x.y.example.org/', '*.example.org'],
    ['https://a.example.org/', 'a.example.org'],
    ['https://evilexample.org/', undefined],
    ['https://x.example.org.evil.example/', undefined],
    ['https://api.example.com./', undefined],
    ['https://b.example.net:8443/', 'b.example.net:8443'],
    ['https://b.example.net/', undefined],
    ['https://c.example.net/', 'c.example.net:443'],
    ['https://127.0.0.1/', undefined],
  ])('%s', (url, host) => expect(accessTo(list, new URL(url))?.host).toBe(host))
})

it('names every secret once', () => {
  const list = access(
    { host: 'a.example', headers: { authorization: '{{B}} {{A}}', 'x-b': '{{B}}' } },
    { host: 'b.example', headers: { accept: 'a/b' } },
  )
  expect(secretsOf(list)).toEqual(['A', 'B'])
})
