import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { confirmedLaneAbi, executionCoordinatorAbi, laneNumber, type WorkerMessage } from '@peerhost/protocol'
import { createDiskStore } from '@peerhost/storage'
import { bytesToHex, concatHex, type Hex, parseEventLogs } from 'viem'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { readOperator } from '../src/operator.ts'
import { startGateway } from './fixture/gateway.ts'
import { type Network, newOperatorKeys, startNetwork, token } from './fixture/network.ts'
import { startRpcTrap, type Trap } from './fixture/rpcTrap.ts'
import { input, offerOf, runtimeDigest, salt, smallFee } from './fixture/tickets.ts'

const program = fileURLToPath(new URL('./fixture/crashingWorker.ts', import.meta.url))
const bundle = new TextEncoder().encode('exports.default = () => new Response("hello")')
const bundleDigest: Hex = `0x${createHash('sha256').update(bundle).digest('hex')}`
const reward = smallFee - (smallFee * 500n) / 10_000n
const abi = [...confirmedLaneAbi, ...executionCoordinatorAbi]
const withinMs = 60_000

let network: Network
let directory: string
let sequence = 0n
const cleanups: (() => unknown)[] = []

beforeAll(async () => {
  network = await startNetwork({ runtimeDigest, bundleDigest })
})
afterAll(() => network?.stop())
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peerhost-recovery-'))
  await createDiskStore({ directory: join(directory, 'blocks') }).put(bundle)
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  await rm(directory, { recursive: true, force: true })
})

function nextOffer(changes: Parameters<typeof offerOf>[0] = {}) {
  const { domain, requester: signer, owner: funder, functionId } = network
  sequence += 1n
  const issuedAt = Math.floor(Date.now() / 1_000)
  return offerOf({ domain, signer, funder, functionId, sequence, issuedAt, ...changes })
}

/** A worker of its own keys and data, behind an endpoint that can kill it; `start` is also its restart. */
async function createCrashingWorker(settings: Record<string, string> = {}) {
  const keys = await newOperatorKeys(network)
  let child: ChildProcess | undefined
  const trap = await startRpcTrap(network.rpcUrl, abi, () => child?.kill('SIGKILL'))
  cleanups.push(trap.close)
  const env = {
    PATH: process.env.PATH,
    PEERHOST_RPC_URL: trap.url,
    PEERHOST_CHAIN_ID: String(network.domain.chainId),
    PEERHOST_COORDINATOR: network.coordinator,
    PEERHOST_REGISTRY: network.registry,
    PEERHOST_TOKEN: token,
    PEERHOST_OPERATOR_KEY: keys.operatorKey,
    PEERHOST_EXECUTION_KEY: keys.executionKey,
    PEERHOST_DATA_DIR: directory,
    ...settings,
  }
  const stop = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  cleanups.push(stop)
  return {
    keys,
    trap,
    stop,
    async start() {
      const args = ['--conditions=@peerhost/source', program]
      const started = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
      child = started
      const died = once(started, 'exit').then(([code, signal]) => ({ code, signal }))
      await once(started.stdout, 'data')
      return { died }
    },
  }
}

/** What the chain holds of one request: how often it was committed, opened and paid. */
async function onChain(requestId: Hex) {
  const logs = await network.client.getLogs({
    address: [network.suite.confirmedLane, network.coordinator],
    fromBlock: 0n,
  })
  const ours = parseEventLogs({ abi, logs }).filter(({ args }) => 'requestId' in args && args.requestId === requestId)
  const count = (name: string) => ours.filter(({ eventName }) => eventName === name).length
  return { commits: count('CommitmentPosted'), reveals: count('CommitmentOpened'), claims: count('ExecutionSettled') }
}

const earningsOf = async (operator: Hex) => (await readOperator(network, operator)).earnings

describe('a worker that is killed while a transaction of its own is under way', { timeout: 180_000 }, () => {
  const traps: Trap[] = ['commit', 'open'].flatMap((functionName) => [
    { functionName, passOn: false },
    { functionName, passOn: true },
  ])

  it.each(traps)('at “$functionName” (mined: $passOn) commits, reveals and claims once', async (moment) => {
    const { trap, keys, start } = await createCrashingWorker()
    const { died } = await start()
    trap.set(moment)
    const offer = await nextOffer({ lane: laneNumber('confirmed') })
    const signature = await network.requester.sign(offer.requestId)
    const call = {
      abi: confirmedLaneAbi,
      functionName: 'post',
      args: [offer.ticket, signature, concatHex([salt, bytesToHex(input)])],
    }
    await network.send(network.keys.requester, network.suite.confirmedLane, call)
    expect(await died).toEqual({ code: null, signal: 'SIGKILL' })

    await start()
    await expect.poll(() => earningsOf(keys.operator), { timeout: withinMs, interval: 200 }).toBe(reward)
    expect(await onChain(offer.requestId)).toEqual({ commits: 1, reveals: 1, claims: 1 })
    expect(trap.sent.filter((name) => name === 'commit' || name === 'open').sort()).toEqual(['commit', 'open'])
  })

  it.each([false, true])('at its own settlement (mined: %s) claims once', async (passOn) => {
    const gateway = await startGateway(network)
    cleanups.push(gateway.close)
    const settings = { PEERHOST_GATEWAYS: gateway.url, PEERHOST_SETTLE_PATIENCE_SECONDS: '0' }
    const { trap, keys, start } = await createCrashingWorker(settings)
    const hello = gateway.next('hello')
    const { died } = await start()
    await hello
    trap.set({ functionName: 'settle', passOn })
    const offer = await nextOffer({ deadline: Math.floor(Date.now() / 1_000) + 10 })
    gateway.offer(offer)
    const first = await gateway.next('attested')
    expect(await died).toEqual({ code: null, signal: 'SIGKILL' })

    const again = gateway.next('hello')
    await start()
    await again
    await expect.poll(() => earningsOf(keys.operator), { timeout: withinMs, interval: 200 }).toBe(reward)
    expect(await onChain(offer.requestId)).toEqual({ commits: 0, reveals: 0, claims: 1 })
    const answers = gateway.received.filter((message) => message.type === 'attested')
    expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(new Set([JSON.stringify(first)]))
  })
})

describe('a chain that takes back what it had', { timeout: 180_000 }, () => {
  it('is settled again by the worker, and pays once, though the block of the settlement was reorganised away', async () => {
    const gateway = await startGateway(network)
    cleanups.push(gateway.close)
    const settings = { PEERHOST_GATEWAYS: gateway.url, PEERHOST_SETTLE_PATIENCE_SECONDS: '0' }
    const { trap, keys, start } = await createCrashingWorker(settings)
    const hello = gateway.next('hello')
    await start()
    await hello
    const offer = await nextOffer({ deadline: Math.floor(Date.now() / 1_000) + 10 })
    gateway.offer(offer)
    await gateway.next('attested')
    await expect.poll(() => earningsOf(keys.operator), { timeout: withinMs, interval: 20 }).toBe(reward)
    const height = await network.client.getBlockNumber({ cacheTime: 0 })
    const [settled] = parseEventLogs({
      abi,
      eventName: 'ExecutionSettled',
      logs: await network.client.getLogs({ address: network.coordinator, fromBlock: 0n }),
    }).filter(({ args }) => args.requestId === offer.requestId)
    const settlements = () => trap.sent.filter((name) => name === 'settle').length
    const sentBefore = settlements()
    const depth = Number(height - (settled?.blockNumber ?? height)) + 3
    await network.client.request({ method: 'anvil_reorg', params: [depth, []] } as never)
    await expect
      .poll(() => network.client.getBlockNumber({ cacheTime: 0 }), { timeout: withinMs })
      .toBeGreaterThan(height + 3n)
    await expect.poll(() => earningsOf(keys.operator), { timeout: withinMs, interval: 200 }).toBe(reward)
    expect(await onChain(offer.requestId)).toMatchObject({ claims: 1 })
    expect(settlements()).toBe(sentBefore + 1)
  })
})

describe.skipIf(process.getuid?.() !== 0)('a disk that is full', { timeout: 180_000 }, () => {
  it('costs the job, by name, and the worker takes jobs again when there is room', async () => {
    const data = join(directory, 'full')
    await mkdir(data)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs', data])
    cleanups.push(() => execFileSync('umount', ['-l', data]))
    await createDiskStore({ directory: join(data, 'blocks') }).put(bundle)
    const gateway = await startGateway(network)
    cleanups.push(gateway.close)
    const { start } = await createCrashingWorker({ PEERHOST_GATEWAYS: gateway.url, PEERHOST_DATA_DIR: data })
    const hello = gateway.next('hello')
    await start()
    await hello
    const [lost, kept] = [await nextOffer(), await nextOffer()]
    await writeFile(join(data, 'other'), Buffer.alloc(8 << 20)).catch(() => {})
    gateway.offer(lost)
    expect(await gateway.next('declined')).toMatchObject({ requestId: lost.requestId, reason: 'sandbox-failed' })
    await expect.poll(() => capacities(gateway.received).at(-1), { timeout: withinMs }).toBe(0)
    expect(gateway.received.filter(({ type }) => type === 'attested')).toEqual([])
    await rm(join(data, 'other'))
    await expect.poll(() => capacities(gateway.received).at(-1), { timeout: withinMs }).toBeGreaterThan(0)
    gateway.offer(kept)
    expect(await gateway.next('attested')).toMatchObject({ requestId: kept.requestId })
  })
})

const capacities = (received: readonly WorkerMessage[]) =>
  received.flatMap((message) => (message.type === 'capacity' ? [message.capacity] : []))
