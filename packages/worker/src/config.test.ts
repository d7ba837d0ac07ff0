import { describe, expect, it } from 'vitest'
import { readConfig } from './config.ts'

const complete = {
  PEERHOST_RPC_URL: 'ws://127.0.0.1:8545',
  PEERHOST_CHAIN_ID: '84532',
  PEERHOST_COORDINATOR: '0x00000000000000000000000000000000000000c0',
  PEERHOST_REGISTRY: '0x00000000000000000000000000000000000000c1',
  PEERHOST_TOKEN: '0x036cbd53842c5426634e7929541ec2318f3dcf7e',
  PEERHOST_EXECUTION_KEY: `0x${'b2'.repeat(32)}`,
  PEERHOST_DATA_DIR: '/var/lib/peerhost',
}

function problemsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    readConfig(env)
    return []
  } catch (error) {
    return (error as { details: readonly string[] }).details
  }
}

describe('readConfig', () => {
  it('reads what is there, with its defaults', () => {
    expect(
      readConfig({ ...complete, PEERHOST_GATEWAYS: 'ws://a/v1/worker, wss://b/v1/worker,', PEERHOST_STAKE: '' }),
    ).toEqual({
      rpcUrls: ['ws://127.0.0.1:8545'],
      chainId: 84_532,
      coordinator: '0x00000000000000000000000000000000000000C0',
      registry: '0x00000000000000000000000000000000000000C1',
      token: '0x036CbD53842c5426634e7929541eC2318f3dCF7e',
      gateways: ['ws://a/v1/worker', 'wss://b/v1/worker'],
      operatorKey: undefined,
      executionKey: complete.PEERHOST_EXECUTION_KEY,
      stake: undefined,
      dataDirectory: '/var/lib/peerhost',
      runtimeDirectory: '/var/lib/peerhost/runtime',
      blockSources: [],
      sandbox: 'docker',
      capacity: 4,
      dockerSocket: undefined,
      containerRuntime: undefined,
      minimumFee: 0n,
      deployBlock: 0n,
      settlePatienceSeconds: 60,
      upkeep: true,
      drainSeconds: 90,
      metricsHost: '127.0.0.1',
      metricsPort: undefined,
      logLevel: 'info',
    })
  })

  it('needs no address but the coordinator’s', () => {
    const { PEERHOST_REGISTRY: _, PEERHOST_TOKEN: __, ...rest } = complete
    expect(readConfig({ ...rest, PEERHOST_UPKEEP: 'off' })).toMatchObject({ registry: undefined, upkeep: false })
  })

  it('names every problem at once, and no value', () => {
    const secret = '0xdeadbeef'
    const problems = problemsOf({
      ...complete,
      PEERHOST_RPC_URL: undefined,
      PEERHOST_EXECUTION_KEY: secret,
      PEERHOST_GATEWAYS: 'http://a',
      PEERHOST_SANDBOX: 'none',
      PEERHOST_CAPACITY: '0',
    })
    expect(problems.map((problem) => problem.split(':')[0])).toEqual([
      'PEERHOST_RPC_URL',
      'PEERHOST_GATEWAYS',
      'PEERHOST_EXECUTION_KEY',
      'PEERHOST_SANDBOX',
      'PEERHOST_CAPACITY',
    ])
    expect(problems[0]).toBe('PEERHOST_RPC_URL: is required')
    expect(problems[2]).toBe('PEERHOST_EXECUTION_KEY: must be 0x and 64 hex digits')
    expect(problems.join()).not.toContain(secret)
  })
})
