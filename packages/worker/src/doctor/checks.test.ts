import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generatePrivateKey } from 'viem/accounts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EndpointProbe } from '../chain/probeEndpoints.ts'
import { encryptKey } from '../keys/keystore.ts'
import { checkClock, checkEndpoints } from './checkEndpoints.ts'
import { checkIsolation } from './checkEngine.ts'
import { checkDisk, checkKeystores, checkNode } from './checkMachine.ts'
import { checkRuntimeDigest } from './checkNetwork.ts'

const now = 1_800_000_000
const short = (checks: readonly { name: string; status: string }[]) =>
  checks.map(({ name, status }) => `${status} ${name}`)

describe('isolation', () => {
  const strong = {
    version: '28',
    runtimes: ['runc', 'runsc'],
    defaultRuntime: 'runc',
    securityOptions: ['name=seccomp,profile=default'],
    limits: { memory: true, swap: true, cpu: true, pids: true },
  }

  it('is complete with a runtime that has a kernel of its own', () => {
    expect(short(checkIsolation(strong, { containerRuntime: 'runsc' }))).toEqual([
      'ok limits',
      'ok seccomp',
      'ok container runtime',
    ])
  })

  it.each([
    ['warn container runtime', {}, undefined],
    ['fail container runtime', {}, 'kata'],
    ['fail seccomp', { securityOptions: [] }, 'runsc'],
    ['warn limits', { limits: { ...strong.limits, swap: false } }, 'runsc'],
    ['fail limits', { limits: { ...strong.limits, pids: false } }, 'runsc'],
  ])('says %s', (expected, changes, containerRuntime) => {
    expect(short(checkIsolation({ ...strong, ...changes }, { containerRuntime }))).toContain(expected)
  })
})

describe('endpoints and clock', () => {
  const answering: EndpointProbe = {
    type: 'answers',
    endpoint: 'wss://one',
    chainId: 1,
    head: 9n,
    timestamp: now - 2,
    tookMs: 5,
  }
  const away: EndpointProbe = { type: 'away', endpoint: 'wss://two', problem: 'refused' }

  it('say what each endpoint is worth', () => {
    expect(short(checkEndpoints([answering, away], 1))).toEqual(['ok rpc wss://one', 'warn rpc wss://two'])
    expect(short(checkEndpoints([away, away], 1))).toEqual(['fail rpc wss://two', 'fail rpc wss://two'])
    expect(short(checkEndpoints([answering], 1))).toEqual(['ok rpc wss://one', 'warn rpc fall-back'])
    expect(short(checkEndpoints([answering, { ...answering, chainId: 2 }], 1))[1]).toBe('fail rpc wss://one')
    expect(short(checkEndpoints([answering, { ...answering, timestamp: now - 90 }], 1))[1]).toBe('warn rpc wss://one')
  })

  it.each([
    ['ok', [answering], [now - 1]],
    ['warn', [answering], [now - 15]],
    ['fail', [answering], [now + 40]],
    ['fail', [{ ...answering, timestamp: now + 31 }], []],
    ['warn', [{ ...answering, timestamp: now - 300 }], [now]],
  ] as const)('are %s', (status, probes, gateways) => {
    expect(checkClock(probes, gateways, now).status).toBe(status)
  })
})

describe('the runtime', () => {
  const answer = (...runtimeDigests: string[]) => ({
    check: { name: '', status: 'ok', detail: '' } as const,
    runtimeDigests,
  })
  it.each([
    ['ok', []],
    ['ok', [answer('0x02'), answer('0x03', '0xAB')]],
    ['warn', [answer('0x02')]],
  ] as const)('is %s', (status, answers) => {
    expect(checkRuntimeDigest('0xab', answers).status).toBe(status)
  })
})

describe('the machine', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'peerhost-doctor-'))
  })
  afterEach(() => rm(directory, { recursive: true, force: true }))

  it('needs the Node that functions run with and a disk that can be written', async () => {
    expect([checkNode('24.1.0'), checkNode('22.12.0')].map(({ status }) => status)).toEqual(['ok', 'fail'])
    expect((await checkDisk(join(directory, 'new'))).detail).toContain('GiB free')
    await writeFile(join(directory, 'file'), '')
    expect((await checkDisk(join(directory, 'file', 'below'))).status).toBe('fail')
  })

  it('needs keystores that only their owner can read, and says so without the password', async () => {
    const file = join(directory, 'key.json')
    await writeFile(file, encryptKey(generatePrivateKey(), 'x', { n: 1_024, r: 8, p: 1 }), { mode: 0o600 })
    const password = join(directory, 'password')
    await writeFile(password, '\n', { mode: 0o600 })
    const env = { PEERHOST_EXECUTION_KEYSTORE: file, PEERHOST_KEYSTORE_PASSWORD_FILE: password }
    expect(short(await checkKeystores(env))).toEqual(['ok execution key', 'fail password file'])
    await chmod(file, 0o644)
    expect(await checkKeystores({ PEERHOST_EXECUTION_KEYSTORE: file })).toMatchObject([
      { status: 'fail', next: `chmod 600 ${file}` },
    ])
    expect(short(await checkKeystores({ PEERHOST_EXECUTION_KEY: '0x' }))).toEqual(['warn execution key'])
    expect(short(await checkKeystores({}))).toEqual(['fail execution key'])
  })
})
