import { decodeReceiptHeader, fromBase64, protocolParametersAbi, type Receipt } from '@peerhost/protocol'
import { getTranscript, type InvokeResponse, invoke, verifyReceipt } from '@peerhost/sdk'
import { ExactEvmScheme } from '@x402/evm/exact/client'
import { wrapFetchWithPayment, x402Client } from '@x402/fetch'
import type { Address } from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { wrapFetchWithPayment as wrapFetchWithPaymentV1 } from 'x402-fetch'
import { eventually, startTestNetwork, type TestNetwork } from './network.ts'

let network: TestNetwork
beforeAll(async () => {
  network = await startTestNetwork({ workers: 2 })
})
afterAll(() => network?.close())

const price = 2_000n
const smallFee = 100n

/** Balances of owner and payer and the sum of all workers' earnings, read from chain. */
async function books() {
  const { developer, payer, operators } = network.devnet.accounts
  const earnings = await Promise.all(operators.map(({ operator }) => network.earningsOf(operator.address)))
  return {
    owner: await network.balanceOf(developer.address),
    payer: await network.balanceOf(payer.address),
    earnings: earnings.reduce((sum, value) => sum + value, 0n),
  }
}

function receiptOf({ receipt }: InvokeResponse): Receipt {
  if (!receipt) throw new Error('The answer came without a receipt.')
  return receipt
}

async function settled(requestId: string) {
  return eventually(`settlement of ${requestId}`, async () => {
    const response = await fetch(`${network.devnet.gatewayUrl}/v1/requests/${requestId}`)
    const body = (await response.json()) as { status: string; operator: Address; transaction?: string }
    return body.status === 'settled' ? body : undefined
  })
}

describe.each([
  [
    'v2',
    () =>
      wrapFetchWithPayment(
        fetch,
        new x402Client().register('eip155:*', new ExactEvmScheme(network.devnet.accounts.payer)),
      ),
  ],
  ['v1', () => wrapFetchWithPaymentV1(fetch, network.devnet.accounts.payer as never)],
] as const)('a stock x402 %s client', (_, createFetch) => {
  test('pays exactly the price, the owner gets it, the worker gets its reward', async () => {
    const before = await books()
    const response = await createFetch()(network.url('paid'))
    expect(response.status).toBe(200)
    const {
      requestId,
      settlement: _none,
      ...receipt
    } = decodeReceiptHeader(response.headers.get('peerhost-receipt') ?? '')
    await settled(requestId)
    const after = await books()
    const { protocolFeeBps } = await network.chain.readContract({
      address: network.devnet.addresses.parameters,
      abi: protocolParametersAbi,
      functionName: 'current',
    })
    expect(after.owner - before.owner).toBe(price)
    expect(before.payer - after.payer).toBe(price)
    expect(after.earnings - before.earnings).toBe(smallFee - (smallFee * BigInt(protocolFeeBps)) / 10_000n)
    expect(receipt.ticket.price).toBe(price)
  })
})

test('without payment nothing runs and nothing is charged', async () => {
  const before = await books()
  const response = await fetch(network.url('paid'))
  expect(response.status).toBe(402)
  expect(response.headers.get('payment-required')).toBeTruthy()
  expect(response.headers.get('cache-control')).toContain('no-store')
  expect(await response.json()).toMatchObject({ x402Version: 1, code: 'payment_required' })
  expect(await books()).toEqual(before)
})

test('ten parallel sends of one signed payment: one execution, one charge, ten identical answers or clear conflicts', async () => {
  const before = await books()
  const headers = await network.signPayment(network.url('paid'))
  const responses = await Promise.all(Array.from({ length: 10 }, () => fetch(network.url('paid'), { headers })))
  const bodies = await Promise.all(responses.map((response) => response.text()))
  const answered = responses.flatMap((response, index) => (response.status === 200 ? [bodies[index]] : []))
  const refused = responses.flatMap((response, index) =>
    response.status === 200
      ? []
      : [{ status: response.status, code: (JSON.parse(bodies[index] ?? '') as { code: string }).code }],
  )
  expect(answered.length).toBeGreaterThan(0)
  expect(new Set(answered).size).toBe(1)
  expect(refused.filter(({ status, code }) => status !== 409 || code !== 'payment_in_progress')).toEqual([])
  const ids = new Set(responses.flatMap((response) => response.headers.get('peerhost-request-id') ?? []))
  expect(ids.size).toBe(1)
  await settled([...ids][0] ?? '')
  const after = await books()
  expect(before.payer - after.payer).toBe(price)
  expect(after.earnings - before.earnings).toBeLessThanOrEqual(smallFee)
})

test('the same payment sent again later gets the stored answer, byte for byte', async () => {
  const headers = await network.signPayment(network.url('paid'))
  const first = await fetch(network.url('paid'), { headers })
  const again = await fetch(network.url('paid'), { headers })
  expect([first.status, again.status]).toEqual([200, 200])
  expect(await again.text()).toBe(await first.text())
})

test('a payment is bound to its request: another body is refused and charged nothing', async () => {
  const headers = await network.signPayment(network.url('paid'))
  const first = await fetch(network.url('paid'), { method: 'POST', headers, body: 'one' })
  expect(first.status).toBe(200)
  const before = await books()
  const other = await fetch(network.url('paid'), { method: 'POST', headers, body: 'two' })
  expect(other.status).toBe(409)
  expect(await other.json()).toMatchObject({ code: 'payment_conflict' })
  expect((await books()).payer).toBe(before.payer)
})

test('an answer of 400 or more is passed through and not charged', async () => {
  const before = await books()
  const headers = await network.signPayment(network.url('paid-fails'))
  const response = await fetch(network.url('paid-fails'), { headers })
  expect(response.status).toBe(404)
  expect(await response.json()).toEqual({ error: 'not found' })
  expect((await books()).payer).toBe(before.payer)
})

test('upfront payment is collected before the answer', async () => {
  const before = await books()
  const headers = await network.signPayment(network.url('paid-upfront'))
  const response = await fetch(network.url('paid-upfront'), { headers })
  expect(response.status).toBe(200)
  expect(before.payer - (await books()).payer).toBe(5_000n)
})

test.each(['attested', 'confirmed'] as const)(
  'an SDK call on the %s lane gives a receipt that verifies on chain',
  async (lane) => {
    const answer = await invoke(network.payer, { url: network.url('paid'), maxPrice: '0.01', lane })
    expect(answer.status).toBe(200)
    const transcript = await getTranscript(network.payer, receiptOf(answer))
    const verification = await verifyReceipt(network.payer, { ...transcript, waitForSettlementMs: 20_000 })
    expect(verification.checks.filter((check) => !check.ok)).toEqual([])
    expect(verification).toMatchObject({ ok: true, settled: true, level: 'verified' })
  },
)

test('a transcript is given to nobody without the salt', async () => {
  const answer = await invoke(network.payer, { url: network.url('echo') })
  const url = `${network.devnet.gatewayUrl}/v1/requests/${answer.requestId}/transcript`
  const statuses = await Promise.all([fetch(url), fetch(url, { headers: { 'peerhost-salt': `0x${'00'.repeat(32)}` } })])
  expect(statuses.map((response) => response.status)).toEqual([404, 404])
  const open = await fetch(url, { headers: { 'peerhost-salt': receiptOf(answer).salt } })
  const { request } = (await open.json()) as { request: string }
  expect(new TextDecoder().decode(fromBase64(request))).toContain('"method":"GET"')
})
