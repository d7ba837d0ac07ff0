import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { decodeResult, fromBase64 } from '@peerhost/protocol'
import { createRuntimeRootfs } from '@peerhost/runtime'
import { createDiskStore } from '@peerhost/storage'
import type { Hex } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { encryptKey } from '../src/keys/keystore.ts'
import { writeKeystoreFile } from '../src/keys/keystoreFile.ts'
import { readOperator } from '../src/operator.ts'
import { sandboxLabels } from '../src/sandbox/hostConfig.ts'
import { sandboxOwner } from '../src/sandbox/sandboxOwner.ts'
import { startGateway } from './fixture/gateway.ts'
import { type Network, newOperatorKeys, startNetwork } from './fixture/network.ts'
import { offerOf } from './fixture/tickets.ts'
import { engineJson, runtimeDirectory } from './sandbox/dockerEngine.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const takesMs = 3_000
const bundle = new TextEncoder().encode(
  `"use node"; exports.default = () => new Promise((done) => setTimeout(() => done(Response.json({ done: true })), ${takesMs}))`,
)
const bundleDigest: Hex = `0x${createHash('sha256').update(bundle).digest('hex')}`
const password = 'of both keystores'

let network: Network
let root: string
let runtimeDigest: Hex
let sequence = 0n
const cleanups: (() => unknown)[] = []

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'peerhost-drain-'))
  runtimeDigest = (await createRuntimeRootfs({ directory: runtimeDirectory })).digest
  network = await startNetwork({ runtimeDigest, bundleDigest })
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})
afterAll(async () => {
  await network?.stop()
  await rm(root, { recursive: true, force: true })
})

function nextOffer() {
  const { domain, requester: signer, owner: funder, functionId } = network
  sequence += 1n
  return offerOf({
    domain,
    signer,
    funder,
    functionId,
    sequence,
    issuedAt: Math.floor(Date.now() / 1_000),
    runtimeDigest,
  })
}

/** A worker process on a directory of settings and keystores, with its password through a pipe. */
async function startProcess(settings: Record<string, string> = {}) {
  const gateway = await startGateway(network)
  cleanups.push(gateway.close)
  const keys = await newOperatorKeys(network)
  const directory = await mkdtemp(join(root, 'worker-'))
  const cost = { n: 1_024, r: 8, p: 1 }
  await writeKeystoreFile(join(directory, 'execution.json'), encryptKey(keys.executionKey, password, cost))
  await writeKeystoreFile(join(directory, 'operator.json'), encryptKey(keys.operatorKey, password, cost))
  await createDiskStore({ directory: join(directory, 'data/blocks') }).put(bundle)
  const lines = {
    PEERHOST_RPC_URL: `http://127.0.0.1:1,${network.webSocketUrl}`,
    PEERHOST_CHAIN_ID: String(network.domain.chainId),
    PEERHOST_COORDINATOR: network.coordinator,
    PEERHOST_GATEWAYS: gateway.url,
    PEERHOST_EXECUTION_KEYSTORE: 'execution.json',
    PEERHOST_OPERATOR_KEYSTORE: 'operator.json',
    PEERHOST_DATA_DIR: 'data',
    PEERHOST_RUNTIME_DIR: runtimeDirectory,
    PEERHOST_LOG_LEVEL: 'debug',
    ...settings,
  }
  const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`)
  await writeFile(join(directory, 'worker.env'), text.join(''), { mode: 0o600 })
  const child = spawn(process.execPath, ['--conditions=@peerhost/source', main], {
    env: { PATH: process.env.PATH, PEERHOST_WORKER_DIR: directory },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  cleanups.push(() => void child.kill('SIGKILL'))
  const log: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => log.push(text))
  const hello = gateway.next('hello')
  child.stdin.end(`${password}\n`)
  await hello
  await until(() => log.join('').includes('"event":"worker:started"'))
  await until(() => log.join('').includes('"active":true'))
  const dataDirectory = join(directory, 'data')
  const owner = sandboxOwner({ executionKey: privateKeyToAddress(keys.executionKey), dataDirectory })
  return { child, gateway, keys, owner, log: () => log.join('') }
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('It did not come to be.')
    await sleep(20)
  }
}

/** Containers that run, of one worker. */
function runningOf(owner: string): Promise<unknown[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`${sandboxLabels.owner}=${owner}`] }))
  return engineJson('GET', `/containers/json?filters=${filters}`)
}

async function signal(child: ChildProcess, name: NodeJS.Signals = 'SIGTERM') {
  const sentAt = performance.now()
  const exited = once(child, 'exit')
  child.kill(name)
  const end = async () => ({ end: await exited, tookMs: performance.now() - sentAt })
  return { end }
}

const timeoutMs = 90_000

describe('a worker process that is told to stop', { timeout: timeoutMs }, () => {
  it('finishes and sends what runs, declines what comes, collects its pay and ends with 0', async () => {
    const { child, gateway, keys, log } = await startProcess({ PEERHOST_SETTLE_PATIENCE_SECONDS: '3000' })
    const [running, late] = [await nextOffer(), await nextOffer()]
    gateway.offer(running)
    await until(() => log().includes('job:accepted'))
    const { end } = await signal(child)
    await gateway.next('capacity')
    gateway.offer(late)
    expect(await gateway.next('declined')).toMatchObject({ requestId: late.requestId, reason: 'draining' })
    const { requestId, result } = await gateway.next('attested')
    expect(requestId).toBe(running.requestId)
    expect(decodeResult(fromBase64(result)).outcome).toBe('completed')
    expect((await end()).end).toEqual([0, null])
    expect(log()).toContain('job:attested')
    expect((await readOperator(network, keys.operator)).earnings).toBeGreaterThan(0n)
  })

  it('aborts what runs when the drain takes too long, and ends with 0', async () => {
    const { child, gateway, log } = await startProcess({ PEERHOST_DRAIN_SECONDS: '1' })
    gateway.offer(await nextOffer())
    await until(() => log().includes('job:accepted'))
    const { end, tookMs } = await (await signal(child)).end()
    expect(end).toEqual([0, null])
    expect(tookMs).toBeLessThan(takesMs + 5_000)
    expect(log()).toContain('"aborted":1')
    expect(log()).not.toContain('job:attested')
  })

  it('ends at once on a second signal', async () => {
    const { child, gateway, log, owner } = await startProcess()
    gateway.offer(await nextOffer())
    await until(async () => log().includes('job:accepted') && (await runningOf(owner)).length > 0)
    const first = await signal(child)
    await gateway.next('capacity')
    child.kill('SIGTERM')
    const { end, tookMs } = await first.end()
    expect(end).toEqual([130, null])
    expect(tookMs).toBeLessThan(1_500)
    expect(log()).not.toContain('job:attested')
    // The engine ends a container whose client is gone.
    await until(async () => (await runningOf(owner)).length === 0)
  })
})
