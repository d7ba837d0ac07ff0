import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Connection, connect, getCredit, getPrice, setPrice } from '@peerhost/sdk'
import { deploy } from '@peerhost/sdk/node'
import type { BlockStore } from '@peerhost/storage'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './testGateway.ts'
import { startTestNetwork, type TestNetwork } from './testNetwork.ts'

let network: TestNetwork
let gateway: TestGateway
let connection: Connection
let directory: string
let project = 0

beforeAll(async () => {
  network = await startTestNetwork()
  gateway = await startTestGateway(network)
  connection = await connect({ gatewayUrl: gateway.url, account: network.accounts.agent, pollingIntervalMs: 50 })
})
afterAll(async () => {
  await gateway?.stop()
  await network?.stop()
})
afterEach(() => rm(directory, { recursive: true, force: true }))
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peerhost-deploy-'))
  await mkdir(join(directory, 'functions', 'deep'), { recursive: true })
  await writeFile(join(directory, 'peerhost.jsonc'), `{ "name": "project-${++project}" }`)
  await write('hello.ts', `export default () => new Response('hello ${project}')`)
  await write(
    'deep/paid.ts',
    `export const config = { price: '0.25', description: 'Paid' }\nexport default () => new Response('paid')`,
  )
})

const write = (name: string, source: string) => writeFile(join(directory, 'functions', name), source)

async function run(more: Partial<deploy.Parameters> = {}) {
  const progress: deploy.Progress[] = []
  const uploads = gateway.state.uploads
  const blocks = await network.publicClient.getTransactionCount({ address: network.accounts.agent.address })
  const result = await deploy(connection, { directory, onProgress: (step) => void progress.push(step), ...more })
  return {
    ...result,
    steps: progress.map(({ step }) => step).filter((step, index, all) => step !== all[index - 1]),
    uploads: gateway.state.uploads - uploads,
    transactions:
      (await network.publicClient.getTransactionCount({ address: network.accounts.agent.address })) - blocks,
  }
}

describe('deploy', () => {
  test('stores, registers in one transaction, waits, and then finds nothing to do', async () => {
    const first = await run()
    expect(first.project).toBe(`project-${project}`)
    expect(first.functions.map(({ name, version, price, changed }) => ({ name, version, price, changed }))).toEqual([
      { name: 'deep/paid', version: 1, price: 250_000n, changed: true },
      { name: 'hello', version: 1, price: 0n, changed: true },
    ])
    expect(first).toMatchObject({ uploads: 4, transactions: 1, transaction: expect.stringMatching(/^0x/) })
    expect(first.steps).toEqual(['bundle', 'compare', 'upload', 'register', 'ready'])
    const again = await run()
    expect(again.functions.every(({ changed }) => !changed)).toBe(true)
    expect(again).toMatchObject({ uploads: 0, transactions: 0, creditTransactions: [] })
    expect('transaction' in again).toBe(false)
    expect(again.functions.map(({ url }) => url)).toEqual(first.functions.map(({ url }) => url))
  })

  test('registers only what changed: code, and price alone', async () => {
    const first = await run()
    await write('hello.ts', `export default () => new Response('changed ${project}')`)
    const code = await run()
    expect(code.functions.map(({ name, version, changed }) => [name, version, changed])).toEqual([
      ['deep/paid', 1, false],
      ['hello', 2, true],
    ])
    expect(code).toMatchObject({ uploads: 2, transactions: 1 })
    const paid = first.functions[0]?.functionId as `0x${string}`
    await setPrice(connection, { functionId: paid, price: '9' })
    const price = await run()
    expect(price.functions.map(({ changed }) => changed)).toEqual([true, false])
    expect(await getPrice(connection, { functionId: paid })).toMatchObject({ priceText: '0.25', version: 2 })
  })

  test('a dry run touches nothing and says what would happen', async () => {
    const dry = await run({ dryRun: true })
    expect(dry).toMatchObject({ uploads: 0, transactions: 0, steps: ['bundle', 'compare'] })
    expect(dry.functions.map(({ version, changed, url }) => [version, changed, url])).toEqual([
      [1, true, undefined],
      [1, true, undefined],
    ])
  })

  test('funds credit when asked, and only what is missing', async () => {
    const first = await run({ credit: { amount: '3', capPerEpoch: '1' } })
    expect(first.creditTransactions).toHaveLength(3)
    expect(first.steps).toContain('credit')
    expect(await getCredit(connection)).toMatchObject({
      available: 3_000_000n,
      availableText: '3',
      line: { capPerEpoch: 1_000_000n, spendable: 1_000_000n },
    })
    expect((await run({ credit: { amount: '3', capPerEpoch: '1' } })).creditTransactions).toEqual([])
    expect((await run({ credit: { amount: '4', capPerEpoch: '1' } })).creditTransactions).toHaveLength(2)
  })

  test('continues where it stopped: nothing is stored or registered twice', async () => {
    gateway.state.hidden.add('hello')
    const stopped = await run({ readyTimeoutMs: 300 }).catch((error: unknown) => error)
    gateway.state.hidden.delete('hello')
    expect(stopped).toMatchObject({ code: 'gateway_unavailable', hint: expect.stringContaining('Deploy again') })
    const continued = await run()
    expect(continued).toMatchObject({ uploads: 0, transactions: 0 })
    expect(continued.functions.map(({ version }) => version)).toEqual([1, 1])
  })

  test('registers nothing when a block was not stored', async () => {
    gateway.state.refuseUploads = true
    const refused = await run().catch((error: unknown) => error)
    gateway.state.refuseUploads = false
    expect(refused).toMatchObject({ code: 'upload_unauthorized' })
    expect((await run()).functions.map(({ version }) => version)).toEqual([1, 1])
    const broken: BlockStore = {
      name: 'broken',
      get: async () => undefined,
      put: () => Promise.reject(new Error('The disk is full.')),
    }
    await write('hello.ts', `export default () => new Response('third ${project}')`)
    await expect(run({ stores: [broken] })).rejects.toThrow('The disk is full.')
    expect((await run({ dryRun: true })).functions.map(({ changed }) => changed)).toEqual([false, true])
  })

  test('puts new blocks into every extra store', async () => {
    const kept: number[] = []
    const store: BlockStore = {
      name: 'second',
      get: async () => undefined,
      put: async (bytes) => {
        kept.push(bytes.length)
        return ''
      },
    }
    await run({ stores: [store] })
    expect(kept).toHaveLength(4)
    await run({ stores: [store] })
    expect(kept).toHaveLength(4)
  })

  test('stops when it is told to, before anything is sent', async () => {
    await expect(run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    const controller = new AbortController()
    const aborted = run({
      signal: controller.signal,
      onProgress: ({ step }) => step === 'compare' && controller.abort(),
    })
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
    expect((await run({ dryRun: true })).functions.every(({ changed }) => changed)).toBe(true)
  })

  test('a project without an account or with a broken function is refused', async () => {
    const reader = await connect({ gatewayUrl: gateway.url })
    await expect(deploy(reader, { directory })).rejects.toMatchObject({ code: 'config_invalid' })
    await write('hello.ts', 'export default () => {')
    await expect(run()).rejects.toMatchObject({ name: 'PeerHostError' })
  })
})
