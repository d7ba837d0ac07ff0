import { checkReceipt, decodeReceiptHeader, fromBase64, pureSigning } from '@peerhost/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newKey, startNetwork, type TestNetwork } from './fixture.ts'
import { startTestGateway, type TestGateway } from './testGateway.ts'
import { startTestWorker, type TestWorker } from './testWorker.ts'
import { until } from './until.ts'

let network: TestNetwork
let gateway: TestGateway
let worker: TestWorker
const owner = newKey().account

beforeAll(async () => {
  network = await startNetwork()
  gateway = await startTestGateway({ network })
  await network.rich(owner)
  await network.fund(owner, gateway.requester, 100_000_000n)
  worker = await startTestWorker({ network, workerUrl: gateway.workerUrl, confirms: true })
  await worker.ready
})

afterAll(async () => {
  await worker?.stop()
  await gateway?.close()
  await network?.stop()
})

test('a free call is answered with a receipt that checks, and settled on chain', async () => {
  const { path } = await network.publish(owner, { name: 'free' })
  const response = await fetch(`${gateway.url}${path}/rest?x=1`, { method: 'POST', body: 'hello' })
  expect(response.status, await response.clone().text()).toBe(200)
  expect(await response.json()).toEqual({ method: 'POST', path: '/rest' })
  const receipt = decodeReceiptHeader(response.headers.get('peerhost-receipt') ?? '')
  const id = response.headers.get('peerhost-request-id')
  expect(id).toBe(receipt.requestId)
  const transcript = await fetch(`${gateway.url}/v1/requests/${id}/transcript`, {
    headers: { 'peerhost-salt': receipt.salt },
  })
  const { request, result } = (await transcript.json()) as { request: string; result: string }
  const checks = await checkReceipt(pureSigning, receipt, { request: fromBase64(request), result: fromBase64(result) })
  expect(checks.filter(({ ok }) => !ok)).toEqual([])
  await until(async () => {
    const status = (await (await fetch(`${gateway.url}/v1/requests/${id}`)).json()) as { status: string }
    return status.status === 'settled'
  })
  await until(async () => worker.settled.some(({ requestIds }) => requestIds.includes(receipt.requestId)))
})
