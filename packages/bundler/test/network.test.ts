import { LIMITS } from '@peerhost/protocol'
import { getAddress } from 'viem'
import { describe, expect, test } from 'vitest'
import { buildFiles, failureOf, hello } from './makeProject.ts'

const withNetwork = (network: string, more = '') => ({
  'functions/a.ts': `export const config = { ${more}network: ${network} }\n${hello}`,
})
const one = async (network: string) => (await buildFiles(withNetwork(network))).functions[0]

describe('a function that declares hosts', () => {
  test('publishes them in one form, under a flag', async () => {
    const built = await one(`{ hosts: ['api.example.com', { host: '*.example.org' }] }`)
    expect(built?.flags).toBe(0b010)
    expect(built?.metadata.network).toEqual({
      hosts: [
        { host: 'api.example.com', headers: {} },
        { host: '*.example.org', headers: {} },
      ],
      maxCalls: LIMITS.egressDefaultCalls,
    })
  })

  test('and secrets for them, under another', async () => {
    const built = await one(
      `{ hosts: [{ host: 'api.example.com', headers: { authorization: 'Bearer {{API_KEY}}' } }], maxCalls: 2 }`,
    )
    expect(built?.flags).toBe(0b110)
    expect(new TextDecoder().decode(built?.metadataBytes)).toContain('Bearer {{API_KEY}}')
    expect(built?.metadata.network?.maxCalls).toBe(2)
  })

  test('gets another metadata block with another list', async () => {
    const [a, b] = [await one(`{ hosts: ['a.example'] }`), await one(`{ hosts: ['b.example'] }`)]
    expect(a?.metadataDigest).not.toBe(b?.metadataDigest)
    expect(a?.digest).toBe(b?.digest)
  })
})

describe('a function whose code reads secrets', () => {
  const reading = (settings: string) => ({ 'functions/a.ts': `export const config = { ${settings} }\n${hello}` })

  test('names them, sorted, under flags of their own', async () => {
    const built = (await buildFiles(reading(`env: ['B_KEY', 'A_KEY']`))).functions[0]
    expect(built?.flags).toBe(0b1100)
    expect(built?.metadata.env).toEqual(['A_KEY', 'B_KEY'])
  })

  test('names the operators that may run it', async () => {
    const operator = '0x00000000000000000000000000000000000000Aa'
    const settings = `env: ['A_KEY'], trustedWorkers: ['${operator.toLowerCase()}']`
    const built = (await buildFiles(reading(settings))).functions[0]
    expect(built?.metadata.trustedWorkers).toEqual([getAddress(operator)])
  })

  test.each([
    [`trustedWorkers: ['0x00000000000000000000000000000000000000aa']`, 'for functions that read secrets'],
    [`env: ['A_KEY'], trustedWorkers: []`, 'trustedWorkers'],
    [`env: ['A_KEY'], trustedWorkers: ['0x1']`, 'operator’s address'],
    [`env: []`, 'env'],
    [`env: ['api-key']`, 'upper-case'],
    [`env: ['A_KEY', 'A_KEY']`, 'names a secret twice'],
    [`env: ['A_KEY'], deterministic: true`, 'no jury may have them'],
  ])('%s is refused', async (settings, message) => {
    const error = await failureOf(reading(settings))
    expect(error.code).toBe('config_invalid')
    expect(error.details.join('\n')).toContain(message)
  })
})

test('a function that declares nothing has neither', async () => {
  const built = (await buildFiles({ 'functions/a.ts': hello })).functions[0]
  expect(built?.flags).toBe(0)
  expect(built?.metadata).not.toHaveProperty('network')
})

describe('what is wrong is said with its place', () => {
  test.each([
    [`{ hosts: [] }`, 'network.hosts'],
    [`{ hosts: ['https://api.example.com/v1'] }`, 'no scheme, path or address'],
    [`{ hosts: ['127.0.0.1'] }`, 'no scheme, path or address'],
    [`{ hosts: ['a.example', 'a.example'] }`, 'names a host twice'],
    [`{ hosts: ['a.example'], maxCalls: 33 }`, 'network.maxCalls'],
    [`{ hosts: [{ host: 'a.example', headers: { authorization: 'Bearer abc' } }] }`, 'peerhost secret set NAME'],
    [`{ hosts: [{ host: 'a.example', headers: { 'x-api-key': 'abc' } }] }`, 'peerhost secret set NAME'],
    [`{ hosts: [{ host: 'a.example', headers: { 'x-a': '{{a}}' } }] }`, 'upper-case'],
    [`{ hosts: [{ host: '*.a.example', headers: { 'x-a': '{{A}}' } }] }`, 'exact hosts only'],
    [`{ hosts: [{ host: 'a.example', headers: { host: 'b.example' } }] }`, 'belongs to the connection'],
    [`{ hosts: [1] }`, 'must be a host name, or an object'],
    [`{ host: 'a.example' }`, 'unknown key'],
  ])('%s', async (network, message) => {
    const error = await failureOf(withNetwork(network))
    expect(error.code).toBe('config_invalid')
    expect(error.details.join('\n')).toContain(message)
    expect(error.details[0]).toMatch(/^functions\/a\.ts:1:\d+ network/)
  })

  test('in peerhost.jsonc it is the line of the host', async () => {
    const file = '{ "functions": { "a": { "network": {\n"hosts": [\n"a.example",\n"nonsense"\n] } } } }'
    const error = await failureOf({ 'functions/a.ts': hello, 'peerhost.jsonc': file })
    expect(error.details).toEqual([expect.stringMatching(/^peerhost\.jsonc:4:1 functions\.a\.network\.hosts\.1/)])
  })

  test('also when the contradiction stands in two files', async () => {
    const error = await failureOf({
      ...withNetwork(`{ hosts: ['a.example'] }`),
      'peerhost.jsonc': '{ "functions": { "a": { "deterministic": true } } }',
    })
    expect(error.details).toEqual([expect.stringContaining('cannot be deterministic')])
  })
})
