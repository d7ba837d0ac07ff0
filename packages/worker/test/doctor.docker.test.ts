import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runDoctor } from '../src/doctor/runDoctor.ts'
import { createWorkerDirectory, readWorkerSettings, workerDirectory } from '../src/workerDirectory.ts'
import { type Network, startNetwork } from './fixture/network.ts'
import { runtimeDigest } from './fixture/tickets.ts'
import { runtimeDirectory } from './sandbox/dockerEngine.ts'

let network: Network
let root: string
let gatewayUrl: string
// What a gateway says of its network, and a source of blocks.
const server = createServer((request, response) => {
  if (request.url !== '/v1/network') return void response.writeHead(404).end()
  response.setHeader('content-type', 'application/json').end(JSON.stringify(network.domain))
})

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'peerhost-doctor-'))
  network = await startNetwork({ runtimeDigest, bundleDigest: runtimeDigest })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  gatewayUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  server.close()
  await network?.stop()
  await rm(root, { recursive: true, force: true })
})

it('finds this machine, this chain and this gateway fit, and names what is not', async () => {
  const directory = workerDirectory(join(root, 'worker'), {})
  const settings = {
    rpcUrls: [network.webSocketUrl, network.rpcUrl],
    chainId: network.domain.chainId,
    coordinator: network.coordinator,
    gateways: [`${gatewayUrl.replace('http', 'ws')}/v1/worker`],
    blockSources: [gatewayUrl],
    capacity: 2,
    metricsPort: 9_464,
  }
  await createWorkerDirectory(directory, settings, { password: 'x', cost: { n: 1_024, r: 8, p: 1 } })
  const env = await readWorkerSettings(directory, { PEERHOST_RUNTIME_DIR: runtimeDirectory })
  const checks = await runDoctor(env ?? {})
  expect(checks.filter(({ status }) => status === 'fail')).toEqual([])
  const fine = checks.filter(({ status }) => status === 'ok').map(({ name }) => name)
  for (const name of ['settings', 'execution key', 'engine', 'seccomp', 'contracts', `gateway ${gatewayUrl}`])
    expect(fine).toContain(name)

  const elsewhere = await runDoctor({
    ...env,
    PEERHOST_RPC_URL: `http://127.0.0.1:1,${network.rpcUrl}`,
    PEERHOST_CHAIN_ID: '5',
    PEERHOST_COORDINATOR: network.suite.operators,
    PEERHOST_DOCKER_SOCKET: join(root, 'no.sock'),
    PEERHOST_GATEWAYS: `${gatewayUrl.replace('http', 'ws')}/v1/worker,ws://127.0.0.1:1/v1/worker`,
    PEERHOST_BLOCK_SOURCES: 'http://127.0.0.1:1',
  })
  const found = (wanted: string) => elsewhere.filter(({ status }) => status === wanted).map(({ name }) => name)
  expect(found('fail').sort()).toEqual(
    ['contracts', 'engine', `gateway ${gatewayUrl}`, 'gateway http://127.0.0.1:1', `rpc ${network.rpcUrl}`].sort(),
  )
  expect(found('warn')).toEqual(expect.arrayContaining(['rpc http://127.0.0.1:1', 'storage http://127.0.0.1:1']))
  expect(elsewhere.filter(({ status, next }) => status !== 'ok' && !next)).toEqual([])
})

it('names every setting that is missing', async () => {
  const checks = await runDoctor({ PEERHOST_CHAIN_ID: 'x' })
  expect(checks.find(({ name }) => name === 'settings')?.detail).toContain('PEERHOST_COORDINATOR: is required')
})

it('says that this machine’s clock is behind when the chain is ahead of it', async () => {
  const directory = workerDirectory(join(root, 'worker'), {})
  const env = await readWorkerSettings(directory, { PEERHOST_RUNTIME_DIR: runtimeDirectory })
  const clock = async () => (await runDoctor(env ?? {})).find(({ name }) => name === 'clock')
  expect(await clock()).toMatchObject({ status: 'ok' })
  await network.client.increaseTime({ seconds: 300 })
  await network.client.mine({ blocks: 1 })
  const found = await clock()
  expect(found).toMatchObject({ status: 'fail', detail: expect.stringMatching(/^(29\d|30\d) s behind the network: /) })
  expect(found?.next).toContain('NTP')
})
