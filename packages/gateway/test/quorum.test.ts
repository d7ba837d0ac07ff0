import {
  decodeReceiptHeader,
  disputeCourtAbi,
  executionCoordinatorAbi,
  caseId as idOfCase,
  operatorRegistryAbi,
  seatNumber,
  settledRequests,
} from '@peerhost/protocol'
import type { Hex } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type FunctionOptions, newKey, shortTimes, startNetwork, type TestNetwork } from './fixture.ts'
import { payerV2 } from './payer.ts'
import { startTestGateway, type TestGateway } from './testGateway.ts'
import { type Behaviour, startTestWorker, type TestWorker } from './testWorker.ts'
import { until } from './until.ts'

let network: TestNetwork
let gateway: TestGateway
const owner = newKey().account
const workers: TestWorker[] = []

beforeAll(async () => {
  network = await startNetwork({ times: shortTimes, parameters: { committeeSize: 64 } })
  gateway = await startTestGateway({ network })
  await network.rich(owner)
  await network.fund(owner, gateway.requester, 100_000_000n)
  await until(async () => (await bondOf(gateway)) > 0n)
})

afterAll(async () => {
  await gateway?.close()
  await network?.stop()
})

afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.stop()))
  await until(async () => (await networkOf(gateway)).workers === 0)
})

const networkOf = async ({ url }: { url: string }) =>
  (await (await fetch(`${url}/v1/network`)).json()) as { workers: number; contracts: Record<string, string> }
const bondOf = async ({ requester }: TestGateway) =>
  (
    await network.client.readContract({
      address: network.addresses.coordinator,
      abi: executionCoordinatorAbi,
      functionName: 'requesterBond',
      args: [requester],
    })
  ).amount

async function add(options: Partial<Parameters<typeof startTestWorker>[0]> = {}): Promise<TestWorker> {
  const worker = await startTestWorker({ network, workerUrl: gateway.workerUrl, ...options })
  workers.push(worker)
  await worker.ready
  return worker
}

let names = 0
const publish = (options: FunctionOptions = {}) =>
  network.publish(owner, { name: `q${names++}`, quorum: 3, fee: 101n, ...options })
const statusOf = async (id: Hex) =>
  (await (await fetch(`${gateway.url}/v1/requests/${id}`)).json()) as { status: string; transaction: Hex }
const lies: Behaviour = { do: 'answer', body: 'lie' }
const honest: Behaviour = { do: 'answer', body: 'truth' }

describe('the attested lane', () => {
  test('three agree: answered at once with all attestations, settled after the conflict window, paid equally', async () => {
    for (let count = 0; count < 4; count++) await add({ behave: () => honest })
    const { path } = await publish()
    const started = Date.now()
    const response = await fetch(`${gateway.url}${path}`)
    expect(response.status, await response.clone().text()).toBe(200)
    expect(Date.now() - started).toBeLessThan(shortTimes.conflictWindow * 1_000 + 3_000)
    const receipt = decodeReceiptHeader(response.headers.get('peerhost-receipt') ?? '')
    const operators = receipt.attestations.map(({ operator }) => operator)
    expect(new Set(operators).size).toBe(3)
    expect(response.headers.get('peerhost-worker')?.split(', ')).toEqual(operators)
    expect((await statusOf(receipt.requestId)).status).toBe('executed')

    await until(async () => (await statusOf(receipt.requestId)).status === 'settled', 60_000)
    const { transaction } = await statusOf(receipt.requestId)
    const { logs, blockNumber } = await network.client.getTransactionReceipt({ hash: transaction })
    const { timestamp } = await network.client.getBlock({ blockNumber })
    expect(Number(timestamp)).toBeGreaterThan(receipt.ticket.deadline + shortTimes.conflictWindow)
    const settled = settledRequests(logs, network.addresses.coordinator)
    const rewards = settled.find(({ requestId }) => requestId === receipt.requestId)?.rewards ?? []
    expect(rewards.map(({ operator }) => operator)).toEqual(operators)
    expect(rewards.reduce((sum, { reward }) => sum + reward, 0n)).toBe(96n)
  }, 90_000)

  test.each<[string, Behaviour]>([
    ['commits and does not open', { do: 'withhold' }],
    ['opens something else', { do: 'switch' }],
    ['hangs', { do: 'hang' }],
    ['declines', { do: 'decline', reason: 'draining' }],
  ])('a fourth worker that %s spoils nothing', async (_, behaviour) => {
    for (let count = 0; count < 3; count++) await add({ behave: () => honest })
    const bad = await add({ behave: () => behaviour })
    const { path } = await publish()
    const response = await fetch(`${gateway.url}${path}`)
    expect(await response.text()).toBe('truth')
    const receipt = decodeReceiptHeader(response.headers.get('peerhost-receipt') ?? '')
    expect(receipt.attestations.map(({ operator }) => operator)).not.toContain(bad.operator.account.address)
  })

  test('a contradiction is no answer and costs nothing; of a judged function it becomes a case', async () => {
    const truthful = [await add({ behave: () => honest }), await add({ behave: () => honest })]
    const liar = await add({ behave: () => lies })
    const { functionId, path } = await publish({ price: 1_000n })
    await network.bondFunction(owner, functionId)
    const payer = newKey()
    await network.rich(payer.account)
    const before = await network.balance(payer.account.address)
    const response = await payerV2(payer)(`${gateway.url}${path}`)
    expect(response.status).toBe(502)
    expect(await response.json()).toMatchObject({ code: 'result_conflict', retryable: true })
    expect(await network.balance(payer.account.address)).toBe(before)

    const reported = async () => {
      const [row] = await gateway.database.query('select * from conflicts order by seen_at_ms desc limit 1')
      return row
    }
    await until(async () => (await reported())?.state === 'reported', 20_000)
    const row = await reported()
    const { first, operators } = JSON.parse(String(row?.evidence))
    const id = idOfCase({
      requestId: row?.request_id as Hex,
      accused: operators[0],
      resultSeal: first.attestation.resultSeal,
      outcome: first.attestation.outcome,
      status: first.attestation.status,
    })
    const opened = await network.client.readContract({
      address: network.addresses.court,
      abi: disputeCourtAbi,
      functionName: 'getCase',
      args: [id],
    })
    expect(opened.kind).toBe(3)
    expect([...truthful, liar].map(({ operator }) => operator.account.address)).toContain(opened.accused)
  })

  test('of a function that nobody judges, it is kept and not reported', async () => {
    await add({ behave: () => honest })
    await add({ behave: () => honest })
    await add({ behave: () => lies })
    const { path } = await publish({ flags: 0 })
    expect((await fetch(`${gateway.url}${path}`)).status).toBe(502)
    await until(async () => {
      const [row] = await gateway.database.query('select state from conflicts order by seen_at_ms desc limit 1')
      return row?.state === 'not-reported'
    })
  })

  test('a quorum that ran out of time is told so, and paid for it', async () => {
    const all = [1, 2, 3].map(() => add({ behave: () => ({ do: 'fail', outcome: 'timed-out' }) }))
    await Promise.all(all)
    const { path } = await publish()
    const response = await fetch(`${gateway.url}${path}`)
    expect(response.status).toBe(504)
    expect(await response.json()).toMatchObject({ code: 'execution_timed_out' })
    const id = (await all[0])?.seen[0]?.requestId as Hex
    await until(async () => (await statusOf(id)).status === 'settled', 60_000)
  }, 90_000)
})

describe('the confirmed lane', () => {
  test('three workers commit and open on chain; the answer comes when they agree, the pay after the window', async () => {
    for (let count = 0; count < 3; count++) await add({ confirms: true, behave: () => honest })
    const { path } = await publish({ lane: 2 })
    const response = await fetch(`${gateway.url}${path}`)
    expect(response.status, await response.clone().text()).toBe(200)
    expect(workers.flatMap(({ failures }) => failures)).toEqual([])
    const receipt = decodeReceiptHeader(response.headers.get('peerhost-receipt') ?? '')
    expect(receipt.attestations).toHaveLength(3)
    await until(async () => (await statusOf(receipt.requestId)).status === 'settled', 60_000)
  }, 90_000)
})

describe('what the gateway says of itself', () => {
  test('the suite, and what is judged', async () => {
    const { contracts } = await networkOf(gateway)
    const { parameters, operators, confirmedLane, escrow, court } = network.addresses
    expect(contracts).toEqual({ parameters, operators, confirmedLane, escrow, court })
    const judged = await publish()
    await network.bondFunction(owner, judged.functionId)
    const plain = await publish({ flags: 3 })
    const card = async (id: Hex) => (await fetch(`${gateway.url}/v1/functions/${id}`)).json()
    await until(async () => (await fetch(`${gateway.url}/v1/functions/${plain.functionId}`)).status === 200)
    expect(await card(judged.functionId)).toMatchObject({ quorum: 3, judged: true, assurance: 'verified' })
    expect(await card(plain.functionId)).toMatchObject({ judged: false, assurance: 'operator-signed' })
  })

  test('its bond is what the protocol asks for', async () => {
    expect(await bondOf(gateway)).toBe(100_000_000n)
  })
})

describe('drawn seats', () => {
  let large: TestNetwork
  let drawing: TestGateway
  const seatHolders: TestWorker[] = []

  beforeAll(async () => {
    large = await startNetwork({ times: shortTimes, parameters: { committeeSize: 2 } })
    await large.rich(owner)
    drawing = await startTestGateway({ network: large })
    await large.fund(owner, drawing.requester, 100_000_000n)
    for (let count = 0; count < 4; count++) {
      const worker = await startTestWorker({ network: large, workerUrl: drawing.workerUrl, seat: 'drawn' })
      await worker.ready
      seatHolders.push(worker)
    }
    // Stake counts from two epochs later, and the seed of that epoch has to be there.
    await until(async () => {
      const { operatorCount, seed } = await epochNow()
      return operatorCount === 4 && BigInt(seed) !== 0n
    }, 60_000)
  }, 120_000)

  afterAll(async () => {
    await Promise.all(seatHolders.map((worker) => worker.stop()))
    await drawing?.close()
    await large?.stop()
  })

  const epochNow = async () => {
    const operators = { address: large.addresses.operators, abi: operatorRegistryAbi } as const
    const epoch = await large.client.readContract({ ...operators, functionName: 'currentEpoch' })
    return large.client.readContract({ ...operators, functionName: 'getEpoch', args: [epoch] })
  }

  test('jobs go only to operators with a seat, and every one of them is paid', async () => {
    const { path } = await large.publish(owner, { name: 'drawn' })
    const ids: Hex[] = []
    for (let count = 0; count < 12; count++) {
      const response = await fetch(`${drawing.url}${path}`)
      // At the edge of an epoch its seed may not be captured yet.
      if (response.status === 503) {
        await new Promise((resolve) => setTimeout(resolve, 500))
        continue
      }
      expect(response.status, await response.clone().text()).toBe(200)
      const receipt = decodeReceiptHeader(response.headers.get('peerhost-receipt') ?? '')
      const [attested] = receipt.attestations
      if (!attested) throw new Error('no attestation')
      const { requester, sequence, epoch, issuedAt } = receipt.ticket
      expect(attested.attestation.seat).toBe(seatNumber('drawn'))
      const isSeated = await large.client.readContract({
        address: large.addresses.operators,
        abi: operatorRegistryAbi,
        functionName: 'isSeated',
        args: [attested.operator, requester, sequence, epoch, issuedAt, 2n],
      })
      expect(isSeated).toBe(true)
      ids.push(receipt.requestId)
    }
    expect(ids.length).toBeGreaterThan(4)
    for (const id of ids)
      await until(async () => {
        const response = await fetch(`${drawing.url}/v1/requests/${id}`)
        return ((await response.json()) as { status: string }).status === 'settled'
      }, 30_000)
  }, 120_000)
})
