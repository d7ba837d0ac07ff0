import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FunctionOptions, freePort, type Keyed, newKey, startNetwork, type TestNetwork } from './fixture.ts'
import { signPayment } from './payer.ts'
import { startTestWorker, type TestWorker } from './testWorker.ts'
import { until } from './until.ts'

const price = 1_000n
let network: TestNetwork
let directory: string
let port: number
let child: ChildProcess | undefined
let log = ''
const gatewayKey = newKey()
const facilitatorKey = newKey()
const owner = newKey().account
const operator = newKey()
const execution = newKey()

/** The real process, as it is started on a machine. */
async function startProcess(): Promise<{ url: string; workerUrl: string }> {
  const entry = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  child = fork(entry, {
    execArgv: ['--conditions=@peerhost/source'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: {
      PATH: process.env.PATH,
      PEERHOST_RPC_URL: network.wsUrl,
      PEERHOST_CHAIN_ID: '84532',
      PEERHOST_COORDINATOR: network.addresses.coordinator,
      PEERHOST_REGISTRY: network.addresses.registry,
      PEERHOST_TOKEN: network.addresses.token,
      PEERHOST_GATEWAY_KEY: gatewayKey.key,
      PEERHOST_FACILITATOR_KEY: facilitatorKey.key,
      PEERHOST_PORT: String(port),
      PEERHOST_DATA_DIR: directory,
      PEERHOST_DEPLOY_BLOCK: String(network.deployBlock),
      PEERHOST_LOG_LEVEL: 'debug',
    },
  })
  child.stdout?.on('data', (chunk) => {
    log += chunk
  })
  child.stderr?.on('data', (chunk) => {
    log += chunk
  })
  const started = child
  return new Promise((resolve, reject) => {
    started.once('message', (message) => resolve(message as { url: string; workerUrl: string }))
    started.once('exit', (code) => reject(new Error(`exited with ${code}: ${log.slice(-2_000)}`)))
  })
}

async function end(signal: NodeJS.Signals): Promise<number | null> {
  const ending = child
  if (!ending || ending.exitCode !== null || ending.signalCode !== null) return null
  const ended = new Promise<number | null>((resolve) => ending.once('exit', resolve))
  ending.kill(signal)
  return ended
}

async function connect(workerUrl: string, behave?: TestWorker['state']['behave']): Promise<TestWorker> {
  const worker = await startTestWorker({
    network,
    workerUrl,
    operator,
    execution,
    register: false,
    ...(behave ? { behave } : {}),
  })
  await worker.ready
  return worker
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gateway-'))
  port = await freePort()
  network = await startNetwork()
  await Promise.all([network.rich(gatewayKey.account), network.rich(facilitatorKey.account), network.rich(owner)])
  await network.fund(owner, gatewayKey.account.address, 100_000_000n)
  await network.register(operator, execution)
})

afterAll(async () => {
  await end('SIGKILL')
  await network?.stop()
  await rm(directory, { recursive: true, force: true })
})

async function paidCall(
  name: string,
  url: string,
  options: FunctionOptions = {},
): Promise<{ send: () => Promise<Response>; payer: Keyed }> {
  const payer = newKey()
  await network.rich(payer.account)
  const { path } = await network.publish(owner, { name, price, ...options })
  const { header } = await signPayment(payer, await fetch(`${url}${path}`))
  return { payer, send: () => fetch(`${url}${path}`, { headers: { 'payment-signature': header } }) }
}

test('killed between payment and answer: the paid call is finished after the restart, and the retry gets the answer', {
  timeout: 90_000,
}, async () => {
  const first = await startProcess()
  const hanging = await connect(first.workerUrl, () => ({ do: 'hang' }))
  const { send } = await paidCall('killed-running', first.url)
  const before = await network.balance(owner.address)
  const lost = send().catch(() => 'lost')
  await until(() => hanging.seen.length === 1)
  await end('SIGKILL')
  expect(await lost).toBe('lost')

  const second = await startProcess()
  const worker = await connect(second.workerUrl)
  const response = await send()
  expect(response.status, `${await response.clone().text()} ${log.slice(-3_000)}`).toBe(200)
  expect(worker.seen).toHaveLength(1)
  expect(worker.seen[0]?.requestId).toBe(hanging.seen[0]?.requestId)
  expect(await network.balance(owner.address)).toBe(before + price)
  await worker.stop()
  expect(await end('SIGTERM')).toBe(0)
})

test('killed while collecting: charged once at most, and the retry gets the answer without another run', {
  timeout: 90_000,
}, async () => {
  const first = await startProcess()
  const worker = await connect(first.workerUrl)
  const { send } = await paidCall('killed-paying', first.url)
  const before = await network.balance(owner.address)
  // No block is made while the payment is under way, so the process dies in the middle of it.
  await network.client.setIntervalMining({ interval: 0 })
  const lost = send().catch(() => 'lost')
  await until(async () => (await network.client.getTxpoolStatus()).pending > 0)
  await end('SIGKILL')
  expect(await lost).toBe('lost')
  await network.client.setIntervalMining({ interval: 1 })

  const second = await startProcess()
  const again = await connect(second.workerUrl)
  const response = await send()
  expect(response.status, `${await response.clone().text()} ${log.slice(-3_000)}`).toBe(200)
  expect(worker.seen.length + again.seen.length).toBe(1)
  expect(await network.balance(owner.address)).toBe(before + price)
  await until(async () => {
    const id = response.headers.get('peerhost-request-id')
    return ((await (await fetch(`${second.url}/v1/requests/${id}`)).json()) as { status: string }).status === 'settled'
  })
  await again.stop()
  expect(await end('SIGTERM')).toBe(0)
})

test('killed while the money was on its way into escrow: it arrives once, and the retry gets the answer', {
  timeout: 120_000,
}, async () => {
  const first = await startProcess()
  const worker = await connect(first.workerUrl)
  const { send, payer } = await paidCall('killed-opening', first.url, { paymentMode: 3 })
  const before = await network.balance(payer.account.address)
  await network.client.setIntervalMining({ interval: 0 })
  const lost = send().catch(() => 'lost')
  await until(async () => (await network.client.getTxpoolStatus()).pending > 0)
  await end('SIGKILL')
  expect(await lost).toBe('lost')
  expect(worker.seen).toHaveLength(0)
  await network.client.setIntervalMining({ interval: 1 })

  const second = await startProcess()
  const again = await connect(second.workerUrl)
  const response = await send()
  expect(response.status, `${await response.clone().text()} ${log.slice(-3_000)}`).toBe(200)
  expect(again.seen).toHaveLength(1)
  expect(await network.balance(payer.account.address)).toBe(before - price)
  const id = response.headers.get('peerhost-request-id')
  await until(async () => {
    const { escrow } = (await (await fetch(`${second.url}/v1/requests/${id}`)).json()) as { escrow: { state: string } }
    return escrow.state === 'settled'
  }, 30_000)
  await again.stop()
  expect(await end('SIGTERM')).toBe(0)
})

test('an environment with several mistakes is reported at once, and no value is printed', async () => {
  const entry = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const secret = '0xsecret'
  const started = fork(entry, {
    execArgv: ['--conditions=@peerhost/source'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { PATH: process.env.PATH, PEERHOST_GATEWAY_KEY: secret, PEERHOST_PORT: '99999' },
  })
  let text = ''
  started.stderr?.on('data', (chunk) => {
    text += chunk
  })
  const code = await new Promise((resolve) => started.once('exit', resolve))
  expect(code).toBe(1)
  for (const name of ['PEERHOST_RPC_URL: is missing', 'PEERHOST_GATEWAY_KEY: must be', 'PEERHOST_PORT:'])
    expect(text).toContain(name)
  expect(text).not.toContain(secret)
})
