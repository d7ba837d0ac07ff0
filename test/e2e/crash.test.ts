import { executionCoordinatorAbi } from '@peerhost/protocol'
import { invoke } from '@peerhost/sdk'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { eventually, startTestNetwork, type TestNetwork } from './network.ts'
import { post } from './postTicket.ts'

let network: TestNetwork
beforeAll(async () => {
  network = await startTestNetwork({ workers: 2 })
  // Both workers have the function warm, so that a kill hits an execution and not a preparation.
  await Promise.all(['slow', 'slow', 'paid-slow'].map((name) => fetch(network.url(name))))
})
afterAll(() => network?.close())

const after = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test('a worker killed during a call: the other one answers it', async () => {
  // Two calls at once go to two workers, so one of them is on the worker that dies.
  const calls = [fetch(network.url('slow')), fetch(network.url('slow'))]
  await after(800)
  const [victim] = network.devnet.workers()
  victim?.kill('SIGKILL')
  const responses = await Promise.all(calls)
  expect(responses.map((response) => response.status)).toEqual([200, 200])
  const survivor = network.devnet.accounts.operators[1]?.operator.address
  expect(responses.map((response) => response.headers.get('peerhost-worker'))).toEqual([survivor, survivor])
  await network.devnet.restartWorker(0)
})

test('a gateway killed between payment and answer: the retry gets the answer, and one charge', async () => {
  const { payer } = network.devnet.accounts
  const before = await network.balanceOf(payer.address)
  const headers = await network.signPayment(network.url('paid-slow'))
  const lost = fetch(network.url('paid-slow'), { headers }).then(
    () => 'answered',
    () => 'lost',
  )
  await after(1_000)
  network.devnet.gateway().kill('SIGKILL')
  expect(await lost).toBe('lost')
  await network.devnet.restartGateway()
  const answer = await eventually('the answer', async () => {
    const response = await fetch(network.url('paid-slow'), { headers })
    if (response.status !== 200) expect([409, 503]).toContain(response.status)
    return response.status === 200 ? response : undefined
  })
  expect(await answer.json()).toEqual({ slow: true })
  expect(before - (await network.balanceOf(payer.address))).toBe(3_000n)
})

test('a gateway killed between payment and answer, without a retry: finished and charged once, or not charged', async () => {
  const { payer } = network.devnet.accounts
  const before = await network.balanceOf(payer.address)
  const headers = await network.signPayment(network.url('paid-slow'))
  const lost = fetch(network.url('paid-slow'), { headers }).catch(() => undefined)
  await after(1_000)
  network.devnet.gateway().kill('SIGKILL')
  await lost
  await network.devnet.restartGateway()
  await after(6_000)
  expect([0n, 3_000n]).toContain(before - (await network.balanceOf(payer.address)))
})

test('workers settle by themselves what they find on chain: a caller needs no gateway', async () => {
  const requestId = await post(network, 'echo')
  const [event] = await eventually('the result on chain', async () => {
    const events = await network.chain.getContractEvents({
      address: network.devnet.addresses.coordinator,
      abi: executionCoordinatorAbi,
      eventName: 'ExecutionSettled',
      args: { requestId },
      fromBlock: 0n,
    })
    return events.length > 0 ? events : undefined
  })
  expect(event?.args).toMatchObject({ outcome: 1, status: 200 })
})

test('everything still works afterwards', async () => {
  const answer = await invoke(network.payer, { url: network.url('paid'), maxPrice: '0.01' })
  expect(answer.status).toBe(200)
})
