import type { Hex } from 'viem'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openPostgres } from '../src/database/postgres.ts'
import { newKey, startNetwork, type TestNetwork } from './fixture.ts'
import { signPayment } from './payer.ts'
import { startPostgres } from './postgres.ts'
import { startTestGateway, type TestGateway } from './testGateway.ts'
import { startTestWorker, type TestWorker } from './testWorker.ts'

const price = 1_000n
let network: TestNetwork
let postgres: Awaited<ReturnType<typeof startPostgres>>
let gateways: TestGateway[]
let workers: TestWorker[]
const owner = newKey().account

beforeAll(async () => {
  ;[network, postgres] = await Promise.all([startNetwork(), startPostgres()])
  await network.rich(owner)
  gateways = []
  workers = []
  for (let index = 0; index < 2; index++) {
    const database = await openPostgres({ url: postgres.url, onError: () => undefined })
    const gateway = await startTestGateway({ network, database })
    await network.fund(owner, gateway.requester, 10_000_000n)
    gateways.push(gateway)
    const worker = await startTestWorker({ network, workerUrl: gateway.workerUrl })
    await worker.ready
    workers.push(worker)
  }
})

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()))
  await Promise.all(gateways.map((gateway) => gateway.close()))
  await postgres?.stop()
  await network?.stop()
})

test('one payment sent to two gateways of one database at once: one run, one charge, the same answer from both', async () => {
  const { path } = await network.publish(owner, { name: 'fleet', price })
  const payer = newKey()
  await network.rich(payer.account)
  for (const worker of workers)
    worker.state.behave = () => ({ do: 'answer', body: String(Math.random()), delayMs: 300 })
  const { header } = await signPayment(payer, await fetch(`${gateways[0]?.url}${path}`))
  const before = await network.balance(owner.address)
  const responses = await Promise.all(
    [...gateways, ...gateways].map(({ url }) => fetch(`${url}${path}`, { headers: { 'payment-signature': header } })),
  )
  const texts = await Promise.all(responses.map((response) => response.text()))
  expect(
    responses.map(({ status }) => status),
    texts.join(),
  ).toEqual([200, 200, 200, 200])
  expect(new Set(texts).size).toBe(1)
  expect(new Set(responses.map(({ headers }) => headers.get('peerhost-receipt'))).size).toBe(1)
  expect(workers.reduce((sum, { seen }) => sum + seen.length, 0)).toBe(1)
  expect(await network.balance(owner.address)).toBe(before + price)
})

test('each gateway has its own sequence, and both settle', async () => {
  const { path } = await network.publish(owner, { name: 'fleet-free' })
  const ids = await Promise.all(
    gateways.flatMap((gateway) =>
      Array.from({ length: 5 }, async () => {
        const response = await fetch(`${gateway.url}${path}`)
        return { gateway, id: response.headers.get('peerhost-request-id') as Hex }
      }),
    ),
  )
  for (const { gateway, id } of ids)
    await expect
      .poll(
        async () => ((await (await fetch(`${gateway.url}/v1/requests/${id}`)).json()) as { status: string }).status,
        { timeout: 15_000 },
      )
      .toBe('settled')
})

test('a gateway with an empty database rebuilds the registry from the chain', async () => {
  const list = async ({ url }: { url: string }) => {
    const { functions } = (await (await fetch(`${url}/v1/functions`)).json()) as {
      functions: { functionId: string; url: string }[]
    }
    return functions.map(({ url: _, ...card }) => card).sort((a, b) => a.functionId.localeCompare(b.functionId))
  }
  const fresh = await startTestGateway({ network })
  try {
    expect(await list(fresh)).toEqual(await list(gateways[0] as TestGateway))
    expect((await list(fresh)).length).toBeGreaterThan(1)
  } finally {
    await fresh.close()
  }
})
