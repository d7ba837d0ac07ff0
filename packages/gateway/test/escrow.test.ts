import {
  decodeReceiptHeader,
  depositAddress,
  type EscrowTerms,
  hashEscrowTerms,
  hashInput,
  paymentEscrowAbi,
  seal,
  testUsdcAbi,
} from '@peerhost/protocol'
import { decodePaymentRequiredHeader, decodePaymentResponseHeader } from '@x402/core/http'
import { type Address, type Hex, parseEventLogs } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type FunctionOptions,
  type Keyed,
  newKey,
  shortTimes,
  startNetwork,
  type TestNetwork,
  token,
} from './fixture.ts'
import { payerV1, payerV2, signPayment } from './payer.ts'
import { startTestGateway, type TestGateway } from './testGateway.ts'
import { startTestWorker, type TestWorker } from './testWorker.ts'
import { until } from './until.ts'

const price = 5_000n
let network: TestNetwork
let gateway: TestGateway
let worker: TestWorker
let payer: Keyed
const owner = newKey().account

beforeAll(async () => {
  network = await startNetwork({ times: shortTimes })
  gateway = await startTestGateway({ network })
  await network.rich(owner)
  await network.fund(owner, gateway.requester, 100_000_000n)
  worker = await startTestWorker({ network, workerUrl: gateway.workerUrl })
  await worker.ready
})

afterAll(async () => {
  await worker?.stop()
  await gateway?.close()
  await network?.stop()
})

beforeEach(async () => {
  payer = newKey()
  await network.rich(payer.account)
  worker.state.behave = () => ({ do: 'answer' })
  worker.seen.length = 0
})

let names = 0
const publish = async (options: FunctionOptions = {}) =>
  `${gateway.url}${(await network.publish(owner, { name: `e${names++}`, price, paymentMode: 3, ...options })).path}`
const held = (account: Address) =>
  network.client.readContract({
    address: network.addresses.escrow,
    abi: paymentEscrowAbi,
    functionName: 'balanceOf',
    args: [account],
  })
type Card = { state: string; inEscrow: string; released: string; refunded: string; transactions: Record<string, Hex> }
const cardOf = async (id: string | null) =>
  ((await (await fetch(`${gateway.url}/v1/requests/${id}`)).json()) as { escrow: Card }).escrow
const escrowOf = (challenge: Response) => {
  const [accepted] = decodePaymentRequiredHeader(challenge.headers.get('payment-required') ?? '').accepts
  return accepted as unknown as {
    payTo: Address
    amount: string
    extra: { escrow: { contract: Address; coordinator: Address; salt: Hex; terms: EscrowTerms & { price: string } } }
  }
}

describe.each([
  ['v2', () => payerV2(payer), 'payment-response'],
  ['v1', () => payerV1(payer, network.rpcUrl), 'x-payment-response'],
] as const)('a stock %s client', (_, client, responseHeader) => {
  test('pays an address of this quote before anything runs; the owner gets it when nobody can challenge it', async () => {
    const url = await publish()
    const before = { payer: await network.balance(payer.account.address), owner: await held(owner.address) }
    const response = await client()(url, { method: 'POST', body: 'hello' })
    expect(response.status, await response.clone().text()).toBe(200)
    const paid = decodePaymentResponseHeader(response.headers.get(responseHeader) ?? '')
    expect(paid).toMatchObject({ success: true, payer: payer.account.address })
    const { logs } = await network.client.getTransactionReceipt({ hash: paid.transaction as Hex })
    const [opened] = parseEventLogs({ abi: paymentEscrowAbi, eventName: 'EscrowOpened', logs })
    const { ticket, payment } = decodeReceiptHeader(response.headers.get('peerhost-receipt') ?? '')
    expect(opened?.args).toMatchObject({ quoteId: ticket.quoteId, payee: owner.address, price, isProven: true })
    expect(payment?.payTo).toBe(opened?.args.deposit)
    expect(await network.balance(payer.account.address)).toBe(before.payer - price)

    const id = response.headers.get('peerhost-request-id')
    expect(await cardOf(id)).toMatchObject({ inEscrow: price.toString(), transactions: { opened: paid.transaction } })
    await until(async () => (await cardOf(id)).state === 'released', 90_000)
    expect(await held(owner.address)).toBe(before.owner + price)
    expect(await cardOf(id)).toMatchObject({ inEscrow: '0', released: price.toString(), refunded: '0' })
  }, 120_000)
})

test('failed result released: never, the payer gets the price back', async () => {
  worker.state.behave = () => ({ do: 'answer', status: 503, body: 'no' })
  const url = await publish()
  const before = await held(payer.account.address)
  const response = await payerV2(payer)(url)
  expect(response.status).toBe(503)
  const id = response.headers.get('peerhost-request-id')
  await until(async () => (await cardOf(id)).state === 'refunded', 60_000)
  expect(await held(payer.account.address)).toBe(before + price)
})

test('without any answer the money stays in escrow, for the next try of the same payment', async () => {
  worker.state.behave = () => ({ do: 'decline', reason: 'bundle-unavailable' })
  const url = await publish()
  const { header } = await signPayment(payer, await fetch(url))
  const before = await network.balance(payer.account.address)
  const send = () => fetch(url, { headers: { 'payment-signature': header } })
  expect(await (await send()).json()).toMatchObject({ code: 'bundle_unavailable' })
  const [row] = await gateway.database.query('select * from escrows order by created_at_ms desc limit 1')
  expect(row).toMatchObject({ state: 'open', request_id: null })
  worker.state.behave = () => ({ do: 'answer' })
  const response = await send()
  expect(response.status, await response.clone().text()).toBe(200)
  expect(await network.balance(payer.account.address)).toBe(before - price)
  expect(decodeReceiptHeader(response.headers.get('peerhost-receipt') ?? '').ticket.quoteId).toBe(row?.quote_id)
})

test('anyone can recompute the address before signing', async () => {
  const url = await publish()
  const challenge = await fetch(url, { method: 'POST', body: 'secret' })
  const { payTo, amount, extra } = escrowOf(challenge)
  const { contract, coordinator, terms, salt } = extra.escrow
  expect([contract, coordinator]).toEqual([network.addresses.escrow, network.addresses.coordinator])
  const own: EscrowTerms = { ...terms, price: BigInt(terms.price) }
  const quoteId = hashEscrowTerms(network.domain, own)
  expect(depositAddress(contract, quoteId)).toBe(payTo)
  expect(amount).toBe(price.toString())
  const onChain = await network.client.readContract({
    address: contract,
    abi: paymentEscrowAbi,
    functionName: 'depositAddressOf',
    args: [own],
  })
  expect(onChain).toBe(payTo)
  const { header } = await signPayment(payer, challenge)
  const response = await fetch(url, { method: 'POST', body: 'secret', headers: { 'payment-signature': header } })
  expect(response.status, await response.clone().text()).toBe(200)
  const { requestId, salt: used } = decodeReceiptHeader(response.headers.get('peerhost-receipt') ?? '')
  expect(used).toBe(salt)
  const transcript = await fetch(`${gateway.url}/v1/requests/${requestId}/transcript`, {
    headers: { 'peerhost-salt': salt },
  })
  const { request } = (await transcript.json()) as { request: string }
  expect(seal(hashInput(new Uint8Array(Buffer.from(request, 'base64'))), salt)).toBe(terms.inputSeal)
})

test('swapped body: the payment is for the request that was quoted, and nothing is charged for another', async () => {
  const url = await publish()
  const { header } = await signPayment(payer, await fetch(url, { method: 'POST', body: 'one' }))
  const before = await network.balance(payer.account.address)
  const send = (body: string) => fetch(url, { method: 'POST', body, headers: { 'payment-signature': header } })
  const swapped = await send('another')
  expect(swapped.status).toBe(409)
  expect(await swapped.json()).toMatchObject({ code: 'payment_conflict' })
  expect(await network.balance(payer.account.address)).toBe(before)
  expect(worker.seen).toHaveLength(0)
  expect((await send('one')).status).toBe(200)
})

test('one payment, five sends at once: one run, one charge, the same answer', async () => {
  worker.state.behave = () => ({ do: 'answer', body: String(Math.random()), delayMs: 200 })
  const url = await publish()
  const { header } = await signPayment(payer, await fetch(url))
  const before = await network.balance(payer.account.address)
  const responses = await Promise.all(
    Array.from({ length: 5 }, () => fetch(url, { headers: { 'payment-signature': header } })),
  )
  expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  expect(new Set(await Promise.all(responses.map((response) => response.text()))).size).toBe(1)
  expect(worker.seen).toHaveLength(1)
  expect(await network.balance(payer.account.address)).toBe(before - price)
})

test('front-run authorization: somebody else executes it on the token, and it still pays for this request', async () => {
  const url = await publish()
  const { header, authorization, signature } = await signPayment(payer, await fetch(url))
  const thief = newKey()
  await network.rich(thief.account)
  await network.call(thief.account, testUsdcAbi, token, 'transferWithAuthorization', [
    authorization.from,
    authorization.to,
    BigInt(authorization.value),
    BigInt(authorization.validAfter),
    BigInt(authorization.validBefore),
    authorization.nonce,
    signature,
  ])
  const before = await network.balance(payer.account.address)
  const response = await fetch(url, { headers: { 'payment-signature': header } })
  expect(response.status, await response.clone().text()).toBe(200)
  expect(await network.balance(payer.account.address)).toBe(before)
  expect(await cardOf(response.headers.get('peerhost-request-id'))).toMatchObject({ state: expect.any(String) })
})

test('a payer that cannot pay: nothing runs', async () => {
  const poor = newKey()
  await network.client.setBalance({ address: poor.account.address, value: 10n ** 18n })
  const url = await publish()
  const { header } = await signPayment(poor, await fetch(url))
  const response = await fetch(url, { headers: { 'payment-signature': header } })
  expect(response.status).toBe(402)
  expect(worker.seen).toHaveLength(0)
})

test('payments straight to the owner are not taken where the mode is escrow', async () => {
  const url = await publish()
  const { header } = await signPayment(payer, await fetch(url), { to: owner.address })
  const response = await fetch(url, { headers: { 'payment-signature': header } })
  expect(response.status).toBe(402)
  expect(await response.json()).toMatchObject({ code: 'payment_rejected' })
  expect(worker.seen).toHaveLength(0)
})
