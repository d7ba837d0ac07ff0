import { createHmac } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeBody, decodeResult } from '@peerhost/protocol'
import { type Connection, connect, deleteSecret, invoke, setSecret } from '@peerhost/sdk'
import { deploy } from '@peerhost/sdk/node'
import { assembleWorker, createProcessSandbox, createWorkerEvents, type Egress, type Sandbox } from '@peerhost/worker'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { newKey, runtimeDigest, startNetwork, type TestNetwork } from '../../packages/gateway/test/fixture.ts'
import { type Outside, outsideAddress, startOutside, testNetwork } from '../../packages/gateway/test/outside.ts'
import { startTestGateway, type TestGateway } from '../../packages/gateway/test/testGateway.ts'

const secret = 'sk-live-0123456789abcdef'
const owner = newKey()
const events: string[] = []
let network: TestNetwork
let gateway: TestGateway
let outside: Outside
let directory: string
let connection: Connection
const stops: (() => Promise<void>)[] = []
/** What the function answered, one text per run that ended. */
let answers: string[]
/** Where each execution calls; the same for honest workers. */
let pathOf: (worker: number) => string

beforeAll(async () => {
  network = await startNetwork()
  outside = await startOutside((seen, response) => response.end(`weather ${outside.seen.length} of ${seen.url}`))
  gateway = await startTestGateway({
    network,
    secretsKeys: [new Uint8Array(32).fill(5)],
    egressNetwork: testNetwork({ 'api.test': [outsideAddress] }),
    settings: { publicRpcUrl: network.rpcUrl },
  })
  await network.rich(owner.account)
  await network.fund(owner.account, gateway.requester, 100_000_000n)
  for (const worker of [0, 1]) stops.push(await startWorker(worker))
  connection = await connect({ gatewayUrl: gateway.url, rpcUrl: network.rpcUrl, account: owner.account })
  directory = await mkdtemp(join(tmpdir(), 'peerhost-egress-'))
  await mkdir(join(directory, 'functions'))
  await writeFile(join(directory, 'peerhost.jsonc'), '{ "name": "weather" }')
  const declared = `{ hosts: [{ host: 'api.test:${outside.port}', headers: { authorization: 'Bearer {{API_KEY}}' } }] }`
  await writeFile(
    join(directory, 'functions/forecast.ts'),
    `export const config = { quorum: 2, network: ${declared} }\nexport default () => fetch('https://api.test:${outside.port}/now')\n`,
  )
  await writeFile(
    join(directory, 'functions/signs.ts'),
    `export const config = { quorum: 2, env: ['SIGNING_KEY'] }
    export default { fetch: async (request: Request, env: { SIGNING_KEY: string }) => {
      const bytes = (text: string) => new TextEncoder().encode(text)
      const hmac = { name: 'HMAC', hash: 'SHA-256' }
      const key = await crypto.subtle.importKey('raw', bytes(env.SIGNING_KEY), hmac, false, ['sign'])
      return new Response(Buffer.from(await crypto.subtle.sign('HMAC', key, bytes(new URL(request.url).search))).toString('hex'))
    } }\n`,
  )
})
afterAll(async () => {
  for (const stop of stops) await stop()
  await gateway?.close()
  await outside?.stop()
  await network?.stop()
  if (directory) await rm(directory, { recursive: true, force: true })
})
beforeEach(() => {
  answers = []
  events.length = 0
  outside.seen.length = 0
  pathOf = () => '/now'
})

/**
 * The runtime's own processes, without a container around them, whose worker may send another call than the function's.
 * Keeps what the function answered.
 */
async function watchedSandbox(worker: number, programs: string): Promise<Sandbox> {
  const sandbox = await createProcessSandbox({ directory: programs, slots: 1, log: () => {} })
  return {
    ...sandbox,
    kind: 'docker',
    isolated: true,
    runtimeDigest,
    run: async (job, signal) => {
      const { egress } = job
      const sent: Egress | undefined =
        egress && ((call, within) => egress({ ...call, url: call.url.replace('/now', pathOf(worker)) }, within))
      const run = await sandbox.run(sent ? { ...job, egress: sent } : job, signal)
      answers.push(new TextDecoder().decode(decodeBody(decodeResult(run.result).body)))
      return run
    },
  }
}

async function startWorker(worker: number): Promise<() => Promise<void>> {
  const [operator, execution] = [newKey(), newKey()]
  await network.rich(operator.account)
  const dataDirectory = await mkdtemp(join(tmpdir(), 'peerhost-egress-worker-'))
  const hub = createWorkerEvents()
  hub.onAny((name, event) =>
    events.push(`${name} ${JSON.stringify(event, (_, value) => (typeof value === 'bigint' ? String(value) : value))}`),
  )
  const { addresses, deployBlock, rpcUrl } = network
  const sandbox = await watchedSandbox(worker, dataDirectory)
  const assembled = await assembleWorker(
    {
      rpcUrls: [rpcUrl],
      chainId: network.domain.chainId,
      coordinator: addresses.coordinator,
      registry: undefined,
      token: undefined,
      gateways: [gateway.workerUrl],
      operatorKey: operator.key,
      executionKey: execution.key,
      stake: '100',
      dataDirectory,
      runtimeDirectory: dataDirectory,
      blockSources: [gateway.url],
      sandbox: 'docker',
      capacity: 4,
      dockerSocket: undefined,
      containerRuntime: undefined,
      minimumFee: 0n,
      deployBlock,
      settlePatienceSeconds: 60,
      upkeep: false,
      drainSeconds: 5,
      metricsHost: '127.0.0.1',
      metricsPort: undefined,
      logLevel: 'silent',
    },
    { sandbox, events: hub },
  )
  await assembled.worker.start()
  return async () => {
    await assembled.worker.stop()
    await assembled.close()
    await sandbox.close()
    await rm(dataDirectory, { recursive: true, force: true })
  }
}

const urlIn = ({ functions }: { functions: readonly { name: string; url?: string | undefined }[] }, wanted: string) =>
  functions.find(({ name }) => name === wanted)?.url ?? ''

test('code that signs with a secret has it sealed for its sandbox: the same bytes from both workers', async () => {
  const deployed = await deploy(connection, { directory })
  const url = urlIn(deployed, 'signs')
  await expect(invoke(connection, { url })).rejects.toMatchObject({ code: 'secret_missing' })
  await setSecret(connection, { project: 'weather', name: 'SIGNING_KEY', value: secret })
  const answer = await invoke(connection, { url: `${url}?a=1` })
  expect(answer.text()).toBe(createHmac('sha256', secret).update('?a=1').digest('hex'))
  expect(answer.receipt?.attestations).toHaveLength(2)
  expect(answer.receipt?.ticket.envVersion).toBeGreaterThan(0)
  expect(events.join('\n')).not.toContain(secret)
})

test('a deployed function calls out once for both workers of its quorum, with a secret that neither sees', async () => {
  const deployed = await deploy(connection, { directory })
  const url = urlIn(deployed, 'forecast')
  await expect(invoke(connection, { url })).rejects.toMatchObject({ code: 'secret_missing' })
  await setSecret(connection, { project: 'weather', name: 'API_KEY', value: secret })
  const answer = await invoke(connection, { url })
  expect(answer.text()).toBe('weather 1 of /now')
  expect(answers).toEqual(['weather 1 of /now', 'weather 1 of /now'])
  expect(outside.seen).toHaveLength(1)
  expect(outside.seen[0]?.headers.authorization).toBe(`Bearer ${secret}`)
  expect(answer.receipt?.attestations).toHaveLength(2)
  expect(answer.receipt?.ticket.envVersion).toBeGreaterThan(0)
  expect(events.join('\n')).not.toContain(secret)
})

test('a worker that makes another call than the record shows attests nothing', async () => {
  const deployed = await deploy(connection, { directory })
  pathOf = (worker) => (worker === 0 ? '/now' : '/other')
  await expect(invoke(connection, { url: urlIn(deployed, 'forecast') })).rejects.toMatchObject({
    code: 'no_worker',
  })
  expect(events.join('\n')).toContain('"reason":"egress-diverged"')
  // Each of the tries is a request of its own and made one call; only who made it went on, if it was not told to stop.
  expect(outside.seen.length).toBeGreaterThan(0)
  expect(outside.seen.length).toBeLessThanOrEqual(3)
  expect(answers.length).toBeLessThanOrEqual(outside.seen.length)
})

test('without its secret it is not run any more', async () => {
  await deleteSecret(connection, { project: 'weather', name: 'API_KEY' })
  const deployed = await deploy(connection, { directory })
  await expect(invoke(connection, { url: urlIn(deployed, 'forecast') })).rejects.toMatchObject({
    code: 'secret_missing',
  })
  expect(outside.seen).toEqual([])
})
