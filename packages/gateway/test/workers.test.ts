import { decodeReceiptHeader, executionCoordinatorAbi, operatorRegistryAbi, toBase64 } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import WebSocket from 'ws'
import { type FunctionOptions, type Keyed, newKey, startNetwork, type TestNetwork } from './fixture.ts'
import { payerV2 } from './payer.ts'
import { startTestGateway, type TestGateway } from './testGateway.ts'
import { type Behaviour, startTestWorker, type TestWorker } from './testWorker.ts'
import { until } from './until.ts'

let network: TestNetwork
let gateway: TestGateway
const owner = newKey().account
const workers: TestWorker[] = []

beforeAll(async () => {
  network = await startNetwork()
  gateway = await startTestGateway({ network })
  await network.rich(owner)
  await network.fund(owner, gateway.requester, 100_000_000n)
})

afterAll(async () => {
  await gateway?.close()
  await network?.stop()
})

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()))
  await until(() => readyWorkers().then((count) => count === 0))
})

const readyWorkers = async () =>
  ((await (await fetch(`${gateway.url}/v1/network`)).json()) as { workers: number }).workers

async function add(options: Partial<Parameters<typeof startTestWorker>[0]> = {}): Promise<TestWorker> {
  const worker = await startTestWorker({ network, workerUrl: gateway.workerUrl, ...options })
  workers.push(worker)
  await worker.ready
  return worker
}

let names = 0
async function call(options: FunctionOptions = {}, init: RequestInit = {}): Promise<Response> {
  const { path } = await network.publish(owner, { name: `f${names++}`, ...options })
  return fetch(`${gateway.url}${path}`, init)
}

/** The first of two workers behaves so; the other one is honest. */
async function pair(behaviour: Behaviour): Promise<{ bad: TestWorker; good: TestWorker }> {
  let isFirst = true
  const behave = (): Behaviour => {
    const now = isFirst ? behaviour : ({ do: 'answer', body: 'honest' } as const)
    isFirst = false
    return now
  }
  const [a, b] = [await add({ behave }), await add({ behave })]
  return { bad: a, good: b }
}

describe('a worker is passed over, and the other one answers', () => {
  test.each<[string, Behaviour]>([
    ['when it disconnects during the call', { do: 'disconnect' }],
    ['when it declines', { do: 'decline', reason: 'at-capacity' }],
    ['when it cannot get the code', { do: 'decline', reason: 'bundle-unavailable' }],
    [
      'when it copies a result under another seal',
      {
        do: 'forge',
        forge: (honest) => ({ ...honest, attestation: { ...honest.attestation, resultSeal: `0x${'1'.repeat(64)}` } }),
      },
    ],
    [
      'when the signature is another',
      { do: 'forge', forge: (honest) => ({ ...honest, signature: `0x${'11'.repeat(64)}1b` }) },
    ],
    [
      'when the status is not that of the result',
      { do: 'forge', forge: (honest) => ({ ...honest, attestation: { ...honest.attestation, status: 201 } }) },
    ],
    [
      'when the outcome is not that of the result',
      { do: 'forge', forge: (honest) => ({ ...honest, attestation: { ...honest.attestation, outcome: 2 } }) },
    ],
    [
      'when the attestation is about another request',
      {
        do: 'forge',
        forge: (honest) => ({ ...honest, attestation: { ...honest.attestation, requestId: `0x${'2'.repeat(64)}` } }),
      },
    ],
    [
      'when it claims a seat that does not exist',
      { do: 'forge', forge: (honest) => ({ ...honest, attestation: { ...honest.attestation, seat: 2 } }) },
    ],
    [
      'when the result is not canonical',
      { do: 'forge', forge: (honest) => ({ ...honest, result: toBase64(new TextEncoder().encode('{ "v": 1 }')) }) },
    ],
    ['when the result is not base64', { do: 'forge', forge: (honest) => ({ ...honest, result: '***' }) }],
  ])('%s', async (_, behaviour) => {
    const { bad, good } = await pair(behaviour)
    const response = await call()
    expect(response.status, await response.clone().text()).toBe(200)
    expect(await response.text()).toBe('honest')
    expect(bad.seen.length + good.seen.length).toBe(2)
    const ids = new Set([...bad.seen, ...good.seen].map(({ requestId }) => requestId))
    expect(ids.size).toBe(1)
  })
})

describe('resource outcomes', () => {
  test('a timeout of one worker counts only when another operator agrees; nobody pays and nothing is settled', async () => {
    const [a, b] = [
      await add({ behave: () => ({ do: 'fail', outcome: 'timed-out' }) }),
      await add({ behave: () => ({ do: 'fail', outcome: 'timed-out' }) }),
    ]
    const payer = newKey()
    await network.rich(payer.account)
    const before = await network.balance(payer.account.address)
    const { path } = await network.publish(owner, { name: `f${names++}`, price: 1_000n })
    const response = await payerV2(payer)(`${gateway.url}${path}`)
    expect(response.status).toBe(504)
    expect(await response.json()).toMatchObject({
      code: 'execution_timed_out',
      detail: expect.stringContaining('Two workers agree'),
    })
    expect([a.seen.length, b.seen.length]).toEqual([1, 1])
    expect(await network.balance(payer.account.address)).toBe(before)
  })

  test('lazy resource outcome: the other worker completes, and its result counts', async () => {
    const { bad, good } = await pair({ do: 'fail', outcome: 'out-of-memory' })
    const response = await call()
    expect(await response.text()).toBe('honest')
    expect(bad.seen.length + good.seen.length).toBe(2)
  })

  test('with one worker there is nobody to agree', async () => {
    await add({ behave: () => ({ do: 'fail', outcome: 'out-of-memory' }) })
    const response = await call()
    expect(response.status).toBe(507)
    expect(await response.json()).toMatchObject({ code: 'execution_out_of_memory' })
  })
})

describe('nobody can run it', () => {
  test('no worker at all', async () => {
    const response = await call()
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBeTruthy()
    expect(await response.json()).toMatchObject({ code: 'no_worker', retryable: true })
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503)
  })

  test('no worker with the runtime', async () => {
    await add({ runtimeDigests: [`0x${'9'.repeat(64)}`] })
    expect(await (await call()).json()).toMatchObject({ code: 'runtime_unavailable' })
  })

  test('a worker that comes back is waited for', async () => {
    const pending = call()
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    await add({ behave: () => ({ do: 'answer' }), ...knownOperator })
    expect((await pending).status).toBe(200)
  })

  test('every worker says why: the code is theirs', async () => {
    await add({ behave: () => ({ do: 'decline', reason: 'bundle-mismatch' }) })
    const response = await call()
    expect(response.status).toBe(502)
    expect(await response.json()).toMatchObject({ code: 'bundle_mismatch' })
  })

  test('a quorum with too few workers says so', async () => {
    await add()
    expect(await (await call({ quorum: 3 })).json()).toMatchObject({
      code: 'no_worker',
      detail: expect.stringContaining('Quorum: 3, connected: 1'),
    })
  })
})

const knownOperator: { operator: Keyed; execution: Keyed; register: boolean } = {
  operator: newKey(),
  execution: newKey(),
  register: false,
}
beforeAll(async () => network.register(knownOperator.operator, knownOperator.execution))

describe('overspent credit', () => {
  test('a fee that the owner’s line does not cover is refused before anything runs', async () => {
    const poor = newKey().account
    await network.rich(poor)
    await network.fund(poor, gateway.requester, 250n)
    const worker = await add({ behave: () => ({ do: 'answer', delayMs: 300 }) })
    const { path } = await network.publish(poor, { name: 'poor', fee: 100n })
    const statuses = await Promise.all(
      Array.from({ length: 5 }, () => fetch(`${gateway.url}${path}`).then(({ status }) => status)),
    )
    expect(statuses.filter((status) => status === 200)).toHaveLength(2)
    const refused = await fetch(`${gateway.url}${path}`)
    expect(refused.status).toBe(503)
    expect(await refused.json()).toMatchObject({
      code: 'credit_exhausted',
      hint: expect.stringContaining('peerhost deploy --credit'),
    })
    expect(worker.seen).toHaveLength(2)
    await network.call(poor, executionCoordinatorAbi, network.addresses.coordinator, 'depositCredit', [
      poor.address,
      1_000n,
    ])
    await network.call(poor, executionCoordinatorAbi, network.addresses.coordinator, 'grantCreditLine', [
      gateway.requester,
      10_000n,
      10_000n,
    ])
    await until(async () => (await fetch(`${gateway.url}${path}`)).status === 200)
  })
})

describe('hostile workers', () => {
  const refusal = async (options: Partial<Parameters<typeof startTestWorker>[0]>) => {
    const worker = await startTestWorker({ network, workerUrl: gateway.workerUrl, ...options })
    return worker.ready.then(
      () => 'welcome',
      (error: Error) => error.message,
    )
  }

  test('an unknown key, a key that is not its own, and an operator that left are refused', async () => {
    expect(await refusal({ register: false })).toContain('of no operator')
    const [operator, execution] = [newKey(), newKey()]
    await network.register(operator, execution)
    expect(await refusal({ register: false, claimKey: execution.account.address })).toContain('not signed by')
    await network.call(operator.account, operatorRegistryAbi, network.addresses.operators, 'drain', [])
    expect(await refusal({ register: false, operator, execution })).not.toBe('welcome')
  })

  test('a hello that was signed for another place is refused: somebody between has passed it on', async () => {
    expect(await refusal({ origin: 'wss://gateway.example' })).toContain('has dialled wss://gateway.example')
  })

  test('an operator that leaves is dropped at once', async () => {
    const worker = await add()
    await network.call(worker.operator.account, operatorRegistryAbi, network.addresses.operators, 'drain', [])
    expect(await worker.closed).toContain('not active')
  })

  test.each<[string, (socket: WebSocket) => void]>([
    ['text that is not JSON', (socket) => socket.send('{')],
    ['JSON that is no message', (socket) => socket.send('{"type":"job"}')],
    ['null', (socket) => socket.send('null')],
    ['a deep value', (socket) => socket.send('['.repeat(50_000))],
    ['prototype keys', (socket) => socket.send('{"type":"capacity","capacity":1,"__proto__":{"x":1},"constructor":1}')],
    ['a binary frame', (socket) => socket.send(Buffer.from([1, 2, 3]))],
    [
      'broken UTF-8',
      (socket) =>
        (socket as unknown as { _socket: { write: (b: Buffer) => void } })._socket.write(
          Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe]),
        ),
    ],
    ['a frame over the limit', (socket) => socket.send('x'.repeat(8_388_609))],
    [
      'a second hello',
      (socket) =>
        socket.send(
          JSON.stringify({
            type: 'hello',
            executionKey: `0x${'1'.repeat(40)}`,
            signature: '0x',
            capacity: 1,
            runtimeDigests: [],
            agent: '',
          }),
        ),
    ],
    ['a negative capacity', (socket) => socket.send('{"type":"capacity","capacity":-1}')],
  ])('%s ends the connection and nothing else', async (_, attack) => {
    const worker = await add(knownOperator)
    attack(worker.socket)
    await worker.closed
    await add(knownOperator)
    expect((await call()).status).toBe(200)
  })

  test('silence instead of a hello is cut off, and a message before it refused', async () => {
    const socket = new WebSocket(gateway.workerUrl)
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.once('open', () => socket.send(`{"type":"input","requestId":"0x${'1'.repeat(64)}"}`))
    expect(await closed).toBe(1008)
  })

  test('equivocation: two different results for one request end a key for good', async () => {
    const worker = await add()
    const response = await call()
    const receipt = decodeReceiptHeader(response.headers.get('peerhost-receipt') ?? '')
    const { attest } = await import('./testWorker.ts')
    const { encodeResult, failedResult } = await import('@peerhost/protocol')
    const other = await attest(
      network.domain,
      worker.execution,
      { requestId: receipt.requestId, salt: receipt.salt },
      encodeResult(failedResult('threw')),
    )
    worker.send(other)
    expect(await worker.closed).toContain('two different results')
    expect(await refusal({ register: false, operator: worker.operator, execution: worker.execution })).toContain(
      'two different results',
    )
    const [row] = await gateway.database.query('select evidence from equivocations where execution_key = $1', [
      worker.execution.account.address,
    ])
    expect(JSON.parse(String(row?.evidence))).toHaveLength(2)
  })

  test('results nobody asked for and rolls nobody wanted change nothing', async () => {
    const worker = await add()
    for (const requestId of [`0x${'3'.repeat(64)}`, `0x${'4'.repeat(64)}`] as Hex[]) {
      worker.send({ type: 'declined', requestId, reason: 'draining' })
      worker.send({ type: 'input', requestId })
      worker.send({ type: 'rolled', batchId: 'x', signature: '0x00' })
    }
    expect((await call()).status).toBe(200)
  })
})

describe('settlement on chain', () => {
  const earnings = (operator: Address) =>
    network.client.readContract({
      address: network.addresses.coordinator,
      abi: executionCoordinatorAbi,
      functionName: 'earningsOf',
      args: [operator],
    })
  const isSettled = async (id: string | null) =>
    ((await (await fetch(`${gateway.url}/v1/requests/${id}`)).json()) as { status: string }).status === 'settled'

  test.each(['sign', 'refuse', 'wrong', 'silent'] as const)(
    'withheld batch signature (%s): all are settled together and every worker is paid to the last unit',
    async (onRoll) => {
      const [a, b] = [await add({ onRoll }), await add()]
      const { path } = await network.publish(owner, { name: `f${names++}`, fee: 100n })
      const responses = await Promise.all(Array.from({ length: 24 }, () => fetch(`${gateway.url}${path}`)))
      const ids = responses.map(({ headers }) => headers.get('peerhost-request-id'))
      await until(async () => (await Promise.all(ids.map(isSettled))).every(Boolean))
      const transactions = new Set(
        await Promise.all(
          ids.map(
            async (id) =>
              ((await (await fetch(`${gateway.url}/v1/requests/${id}`)).json()) as { transaction: string }).transaction,
          ),
        ),
      )
      expect(transactions.size).toBeLessThan(24)
      for (const worker of [a, b]) {
        expect(await earnings(worker.operator.account.address)).toBe(95n * BigInt(worker.seen.length))
        await until(() => worker.settled.flatMap(({ requestIds }) => requestIds).length === worker.seen.length)
      }
    },
  )
})

describe('the confirmed lane', () => {
  test('the ticket is posted, a worker records the result on chain, and the answer opens its seal', async () => {
    const worker = await add({ confirms: true })
    const response = await call({}, { headers: { 'peerhost-lane': 'confirmed' }, method: 'POST', body: 'x' })
    expect(response.status, await response.clone().text()).toBe(200)
    const receipt = decodeReceiptHeader(response.headers.get('peerhost-receipt') ?? '')
    expect(receipt.ticket.lane).toBe(2)
    expect(worker.seen).toHaveLength(1)
    const status = await (await fetch(`${gateway.url}/v1/requests/${receipt.requestId}`)).json()
    expect(status).toMatchObject({ status: 'settled', operator: worker.operator.account.address, index: 0 })
  })

  test('a paid call on the confirmed lane is charged once it is confirmed', async () => {
    await add({ confirms: true })
    const payer = newKey()
    await network.rich(payer.account)
    const before = await network.balance(owner.address)
    const { path } = await network.publish(owner, { name: `f${names++}`, price: 1_000n, lane: 2 })
    const response = await payerV2(payer)(`${gateway.url}${path}`)
    expect(response.status, await response.clone().text()).toBe(200)
    expect(await network.balance(owner.address)).toBe(before + 1_000n)
  })

  test('without credit the ticket cannot be posted, and it is said so', async () => {
    await add({ confirms: true })
    const poor = newKey().account
    await network.rich(poor)
    const { path } = await network.publish(poor, { name: 'poor-confirmed', lane: 2 })
    const response = await fetch(`${gateway.url}${path}`)
    expect(await response.json()).toMatchObject({ code: 'credit_exhausted' })
  })
})
