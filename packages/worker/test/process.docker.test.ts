import { type ChildProcess, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeBody, decodeResult, digestToCid, fromBase64, type WorkerMessage } from '@peerhost/protocol'
import { createRuntimeRootfs } from '@peerhost/runtime'
import type { Hex } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { readOperator } from '../src/operator.ts'
import { startGateway } from './fixture/gateway.ts'
import { type Network, newOperatorKeys, startNetwork, token } from './fixture/network.ts'
import { offerOf } from './fixture/tickets.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const bundle = new TextEncoder().encode(
  'let calls = 0; exports.default = () => Response.json({ call: ++calls, drawn: Math.random() })',
)
const bundleDigest: Hex = `0x${createHash('sha256').update(bundle).digest('hex')}`

let network: Network
let directory: string
let runtimeDigest: Hex
let sequence = 0n
const cleanups: (() => unknown)[] = []

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peerhost-process-'))
  runtimeDigest = (await createRuntimeRootfs({ directory: join(directory, 'runtime') })).digest
  network = await startNetwork({ runtimeDigest, bundleDigest })
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})
afterAll(async () => {
  await network?.stop()
  await rm(directory, { recursive: true, force: true })
})

function nextOffer() {
  const { domain, requester: signer, owner: funder, functionId } = network
  sequence += 1n
  const issuedAt = Math.floor(Date.now() / 1_000)
  return offerOf({ domain, signer, funder, functionId, sequence, issuedAt, runtimeDigest })
}

/** A trustless gateway that serves these bytes under every name. */
async function serveBlock(bytes: Uint8Array) {
  let asked = 0
  const server = createServer((_, response) => {
    asked += 1
    response.writeHead(200, { 'content-type': 'application/vnd.ipld.raw' })
    response.end(bytes)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanups.push(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked: () => asked }
}

async function startProcess(
  settings: Record<string, string>,
): Promise<{ child: ChildProcess; ready: Promise<unknown> }> {
  const child = fork(main, [], {
    execArgv: ['--conditions=@peerhost/source'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {
      PATH: process.env.PATH,
      PEERHOST_RPC_URL: network.webSocketUrl,
      PEERHOST_CHAIN_ID: String(network.domain.chainId),
      PEERHOST_COORDINATOR: network.coordinator,
      PEERHOST_REGISTRY: network.registry,
      PEERHOST_TOKEN: token,
      PEERHOST_STAKE: '100',
      ...settings,
    },
  })
  cleanups.push(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  })
  const ready = Promise.race([
    once(child, 'message').then(([message]) => message),
    once(child, 'exit').then(([code]) => ({ type: 'ended', code })),
  ])
  return { child, ready }
}

function read(message: Extract<WorkerMessage, { type: 'attested' }>) {
  const { outcome, body } = decodeResult(fromBase64(message.result))
  return { outcome, ...(JSON.parse(new TextDecoder().decode(decodeBody(body))) as { call: number; drawn: number }) }
}

describe('worker process', () => {
  it('registers, runs real code in a real container, survives a kill with what it signed, and ends on SIGTERM', async () => {
    const gateway = await startGateway(network)
    cleanups.push(gateway.close)
    const [liar, honest] = [
      await serveBlock(new TextEncoder().encode('exports.default = evil')),
      await serveBlock(bundle),
    ]
    const keys = await newOperatorKeys(network)
    const settings = {
      PEERHOST_OPERATOR_KEY: keys.operatorKey,
      PEERHOST_EXECUTION_KEY: keys.executionKey,
      PEERHOST_DATA_DIR: directory,
      PEERHOST_GATEWAYS: gateway.url,
      PEERHOST_BLOCK_SOURCES: `${liar.url},${honest.url}`,
    }
    const hello = gateway.next('hello')
    const first = await startProcess(settings)
    const executionKey = privateKeyToAddress(keys.executionKey)
    expect(await first.ready).toEqual({ type: 'ready', operator: keys.operator, executionKey })
    expect((await readOperator(network, keys.operator)).status).toBe('active')
    expect((await hello).runtimeDigests).toEqual([runtimeDigest])

    const [offer, another] = [await nextOffer(), await nextOffer()]
    gateway.offer(offer)
    const answer = await gateway.next('attested')
    expect(read(answer)).toMatchObject({ outcome: 'completed', call: 1 })
    expect(liar.asked()).toBe(1)
    expect(honest.asked()).toBe(1)
    // Nothing is left of the execution before; what is drawn is the ticket's.
    gateway.offer(another)
    const other = await gateway.next('attested')
    expect(read(other)).toMatchObject({ outcome: 'completed', call: 1 })
    expect(read(other).drawn).not.toBe(read(answer).drawn)

    const killed = once(first.child, 'exit')
    first.child.kill('SIGKILL')
    await killed
    const back = gateway.next('hello')
    const second = await startProcess(settings)
    await second.ready
    await back
    gateway.offer(offer)
    expect(await gateway.next('attested')).toEqual(answer)
    expect(honest.asked()).toBe(1)

    const ended = once(second.child, 'exit')
    second.child.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })

  it('declines a function whose code nobody has, by name of the reason', async () => {
    const gateway = await startGateway(network)
    cleanups.push(gateway.close)
    const liar = await serveBlock(new TextEncoder().encode('exports.default = evil'))
    const keys = await newOperatorKeys(network)
    const { ready } = await startProcess({
      PEERHOST_OPERATOR_KEY: keys.operatorKey,
      PEERHOST_EXECUTION_KEY: keys.executionKey,
      PEERHOST_DATA_DIR: join(directory, 'empty'),
      PEERHOST_GATEWAYS: gateway.url,
      PEERHOST_BLOCK_SOURCES: liar.url,
    })
    await Promise.all([ready, gateway.next('hello')])
    const offer = await nextOffer()
    gateway.offer(offer)
    expect(await gateway.next('declined')).toEqual({
      type: 'declined',
      requestId: offer.requestId,
      reason: 'bundle-mismatch',
    })
    expect(digestToCid(bundleDigest)).toMatch(/^bafkrei/)
  })

  it('does not begin without isolation, or with settings that are not complete', async () => {
    const keys = await newOperatorKeys(network)
    const settings = { PEERHOST_EXECUTION_KEY: keys.executionKey, PEERHOST_DATA_DIR: join(directory, 'open') }
    const open = await startProcess({
      ...settings,
      PEERHOST_OPERATOR_KEY: keys.operatorKey,
      PEERHOST_SANDBOX: 'process',
    })
    expect(await open.ready).toEqual({ type: 'ended', code: 1 })
    expect((await readOperator(network, keys.operator)).status).toBe('none')
    const wrong = await startProcess({ ...settings, PEERHOST_COORDINATOR: 'here' })
    expect(await wrong.ready).toEqual({ type: 'ended', code: 1 })
  })
})
