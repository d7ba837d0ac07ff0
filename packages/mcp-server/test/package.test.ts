import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createLog } from '../src/log.ts'
import { readConfig } from '../src/readConfig.ts'
import { defaultPolicy, parsePolicy } from '../src/spending/policy.ts'
import { version } from '../src/version.ts'
import { testKey } from './testServer.ts'

const read = (name: string) => readFile(join(import.meta.dirname, '..', name), 'utf8')

test('package.json, server.json and the server name the same thing', async () => {
  const [manifest, server] = [JSON.parse(await read('package.json')), JSON.parse(await read('server.json'))]
  expect(manifest).toMatchObject({ version, mcpName: server.name, name: server.packages[0].identifier })
  expect(server).toMatchObject({ version, packages: [{ version }] })
})

test('the README shows the default policy as it is', async () => {
  const blocks = [...(await read('README.md')).matchAll(/```json\n(.*?)```/gs)].map(([, text]) => text ?? '')
  const reading = parsePolicy(blocks.find((text) => text.includes('maxPerCall')) ?? '', 'README')
  expect(reading).toMatchObject({ type: 'valid', policy: defaultPolicy })
})

test('the log hides keys, however they are spelled, and what is named a signature', () => {
  const lines: string[] = []
  const log = createLog((line) => lines.push(line), [testKey, 'a-secret-token'])
  log('a', {
    key: testKey,
    upper: testKey.toUpperCase().slice(2),
    bare: testKey.slice(2),
    text: `Bearer a-secret-token`,
  })
  log('b', { paymentSignature: '0x1234', amount: 5n, id: `0x${'a'.repeat(64)}` })
  const text = lines.join('')
  expect(text.toLowerCase()).not.toContain(testKey.slice(2))
  expect(text).not.toContain('a-secret-token')
  expect(text).not.toContain('0x1234')
  expect(text).toContain(`0x${'a'.repeat(64)}`)
})

test('flags win over the environment, and every problem is told at once', () => {
  const env = { PEERHOST_GATEWAY: 'http://a.example', HOME: '/home/x' }
  expect(readConfig(['--gateway', 'http://b.example', '--http'], env)).toMatchObject({
    gatewayUrl: 'http://b.example',
    http: { host: '127.0.0.1', port: 3_402 },
    expose: 'auto',
  })
  expect(readConfig(['--http', '[::1]:0'], env)).toMatchObject({ http: { host: '::1', port: 0 } })
  expect(() => readConfig(['--owner', 'me', '--expose', 'x', '--http', '1.2.3.4:5', '--timeout', 'a'], {})).toThrow(
    expect.objectContaining({ code: 'config_invalid', details: expect.objectContaining({ length: 5 }) }),
  )
})
