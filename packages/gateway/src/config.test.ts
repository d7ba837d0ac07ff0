import { isPeerHostError } from '@peerhost/protocol'
import { expect, test } from 'vitest'
import { readConfig } from './config.ts'

const complete = {
  PEERHOST_RPC_URL: 'ws://127.0.0.1:8545',
  PEERHOST_CHAIN_ID: '84532',
  PEERHOST_COORDINATOR: `0x${'a1'.repeat(20)}`,
  PEERHOST_REGISTRY: `0x${'b2'.repeat(20)}`,
  PEERHOST_TOKEN: `0x${'c3'.repeat(20)}`,
  PEERHOST_GATEWAY_KEY: `0x${'11'.repeat(32)}`,
  PEERHOST_FACILITATOR_KEY: `0x${'22'.repeat(32)}`,
  PEERHOST_DATA_DIR: '/tmp/gateway',
}

const problemsOf = (env: Record<string, string | undefined>): readonly string[] => {
  try {
    readConfig(env)
    return []
  } catch (error) {
    return isPeerHostError(error) ? error.details : ['not a PeerHostError']
  }
}

test('a complete environment, with the defaults of a local chain', () => {
  expect(readConfig(complete)).toMatchObject({
    host: '127.0.0.1',
    port: 0,
    pollIntervalMs: 100,
    publicRpcUrl: 'ws://127.0.0.1:8545',
    requesterBond: 'auto',
    collectFeesAbove: undefined,
  })
})

test('the coordinator is enough to find the other contracts', () => {
  const { PEERHOST_REGISTRY: _, PEERHOST_TOKEN: __, ...without } = complete
  expect(readConfig(without)).toMatchObject({ registry: undefined, token: undefined })
  expect(problemsOf({ ...without, PEERHOST_TOKEN: 'usdc' })).toEqual([expect.stringContaining('PEERHOST_TOKEN')])
})

test.each([
  ['0', 0n],
  ['250000000', 250_000_000n],
  ['auto', 'auto'],
])('a bond of %s', (text, requesterBond) => {
  expect(readConfig({ ...complete, PEERHOST_REQUESTER_BOND: text })).toMatchObject({ requesterBond })
  expect(problemsOf({ ...complete, PEERHOST_REQUESTER_BOND: '1.5' })).toHaveLength(1)
})

test('origins that workers dial, without path and default port', () => {
  const env = { ...complete, PEERHOST_WORKER_ORIGINS: 'wss://gateway.example:443/v1/worker,ws://10.0.0.7:8080' }
  expect(readConfig(env)).toMatchObject({ workerOrigins: ['wss://gateway.example', 'ws://10.0.0.7:8080'] })
  expect(readConfig(complete)).toMatchObject({ workerOrigins: [] })
  expect(problemsOf({ ...complete, PEERHOST_WORKER_ORIGINS: 'https://gateway.example' })).toHaveLength(1)
})

test('the RPC of a remote chain is not told to anyone', () => {
  expect(readConfig({ ...complete, PEERHOST_RPC_URL: 'https://rpc.example/key' })).toMatchObject({
    publicRpcUrl: undefined,
    pollIntervalMs: 2_000,
  })
})

test('every problem at once, and no value', () => {
  const env = {
    ...complete,
    PEERHOST_GATEWAY_KEY: 'hunter2',
    PEERHOST_TOKEN: 'nonsense',
    PEERHOST_PORT: '70000',
    PEERHOST_RPC_URL: 'ftp://secret',
  }
  const problems = problemsOf(env)
  expect(problems.map((line) => line.split(':')[0]).sort()).toEqual([
    'PEERHOST_GATEWAY_KEY',
    'PEERHOST_PORT',
    'PEERHOST_RPC_URL',
    'PEERHOST_TOKEN',
  ])
  expect(problems.join()).not.toMatch(/hunter2|secret|70000/)
})

test('a facilitator is needed: a key or a URL', () => {
  const { PEERHOST_FACILITATOR_KEY: _, ...without } = complete
  expect(problemsOf(without)).toEqual(['PEERHOST_FACILITATOR_KEY: set it, or PEERHOST_FACILITATOR_URL'])
  expect(problemsOf({ ...without, PEERHOST_FACILITATOR_URL: 'https://facilitator.example' })).toEqual([])
})

test('keys of secrets: none, one, or the newest before the old ones', () => {
  const [a, b] = [`0x${'0a'.repeat(32)}`, `0x${'0b'.repeat(32)}`]
  expect(readConfig(complete)).toMatchObject({ secretsKeys: [], dangerousHosts: undefined })
  const { secretsKeys } = readConfig({ ...complete, PEERHOST_SECRETS_KEY: `${a},${b}` })
  expect(secretsKeys).toEqual([new Uint8Array(32).fill(10), new Uint8Array(32).fill(11)])
  for (const wrong of ['hunter2', `${a},`, `${a}0`, `${a} ${b}`]) {
    const problems = problemsOf({ ...complete, PEERHOST_SECRETS_KEY: wrong })
    expect(problems).toEqual([expect.stringContaining('PEERHOST_SECRETS_KEY: must be keys')])
    expect(problems.join()).not.toContain(wrong)
  }
})

test('names that lead to any address are dangerous by name', () => {
  const env = { ...complete, PEERHOST_EGRESS_DANGEROUS_HOSTS: 'api.test=127.0.0.1,six.test=::1' }
  expect(readConfig(env).dangerousHosts).toEqual(
    new Map([
      ['api.test', '127.0.0.1'],
      ['six.test', '::1'],
    ]),
  )
  expect(problemsOf({ ...env, PEERHOST_EGRESS_DANGEROUS_HOSTS: 'api.test' })).toHaveLength(1)
})
