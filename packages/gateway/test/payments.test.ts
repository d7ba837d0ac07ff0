import { decodeReceiptHeader, functionRegistryAbi, LIMITS, testUsdcAbi } from '@peerhost/protocol'
import { decodePaymentRequiredHeader, decodePaymentResponseHeader } from '@x402/core/http'
import { parseSignature } from 'viem'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Keyed, newKey, startNetwork, type TestNetwork, token } from './fixture.ts'
import { payerV1, payerV2, signPayment } from './payer.ts'
import { startTestGateway, type TestGateway } from './testGateway.ts'
import { startTestWorker, type TestWorker } from './testWorker.ts'
import { until } from './until.ts'

const price = 1_000n
let network: TestNetwork
let gateway: TestGateway
let worker: TestWorker
let payer: Keyed
const owner = newKey().account
const facilitator: { settle: 'real' | 'hang' | 'lie' | 'lose' } = { settle: 'real' }

beforeAll(async () => {
  network = await startNetwork()
  gateway = await startTestGateway({
    network,
    wrapFacilitator: (real) => ({
      ...real,
      settle: async (payload, requirements) => {
        const answer = { success: true, transaction: `0x${'1'.repeat(64)}`, network: requirements.network }
        if (facilitator.settle === 'lie') return answer
        if (facilitator.settle === 'hang') throw new Error('timeout')
        if (facilitator.settle === 'lose') {
          await real.settle(payload, requirements)
          throw new Error('the answer was lost')
        }
        return real.settle(payload, requirements)
      },
    }),
  })
  await network.rich(owner)
  await network.fund(owner, gateway.requester, 100_000_000n)
  worker = await startTestWorker({ network, workerUrl: gateway.workerUrl, capacity: 32 })
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
  facilitator.settle = 'real'
})

const url = (path: string) => `${gateway.url}${path}`
const pay = (path: string, header: string, init: RequestInit = {}) =>
  fetch(url(path), { ...init, headers: { ...init.headers, 'payment-signature': header } })

test('without a payment the answer is 402 for both generations, small, readable by browsers and never cached', async () => {
  const { path } = await network.publish(owner, { name: 'priced', price })
  const response = await fetch(url(path))
  expect(response.status).toBe(402)
  const header = response.headers.get('payment-required') ?? ''
  expect(header.length).toBeLessThan(4_096)
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(response.headers.get('access-control-expose-headers')).toContain('payment-required')
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  const v2 = decodePaymentRequiredHeader(header)
  expect(v2.accepts).toEqual([
    {
      scheme: 'exact',
      network: 'eip155:84532',
      asset: token,
      amount: '1000',
      payTo: owner.address,
      maxTimeoutSeconds: 70,
      extra: { name: 'USDC', version: '2' },
    },
  ])
  const v1 = (await response.json()) as { accepts: unknown[] }
  expect(v1).toMatchObject({ x402Version: 1, code: 'payment_required', status: 402 })
  expect(v1.accepts[0]).toMatchObject({ network: 'base-sepolia', maxAmountRequired: '1000', payTo: owner.address })
  expect(worker.seen).toEqual([])
})

test('a stock v2 client pays exactly the price, and the receipt says so', async () => {
  const { path } = await network.publish(owner, { name: 'priced-v2', price })
  const [ownerBefore, payerBefore] = [
    await network.balance(owner.address),
    await network.balance(payer.account.address),
  ]
  const response = await payerV2(payer)(url(path), { method: 'POST', body: '{"a":1}' })
  expect(response.status, await response.clone().text()).toBe(200)
  expect(await network.balance(owner.address)).toBe(ownerBefore + price)
  expect(await network.balance(payer.account.address)).toBe(payerBefore - price)
  const paid = decodePaymentResponseHeader(response.headers.get('payment-response') ?? '')
  expect(paid).toMatchObject({ success: true, network: 'eip155:84532', payer: payer.account.address })
  const receipt = decodeReceiptHeader(response.headers.get('peerhost-receipt') ?? '')
  expect(receipt.payment).toMatchObject({ amount: '1000', payTo: owner.address, transaction: paid.transaction })
  expect(receipt.ticket).toMatchObject({ price, payer: payer.account.address, payee: owner.address })
  expect(response.headers.get('cache-control')).toBe('private, no-store')
})

test('a stock v1 client pays on the same endpoint', async () => {
  const { path } = await network.publish(owner, { name: 'priced-v1', price })
  const before = await network.balance(owner.address)
  const response = await payerV1(payer, network.rpcUrl)(url(path), { method: 'POST', body: 'x' })
  expect(response.status, await response.clone().text()).toBe(200)
  expect(await network.balance(owner.address)).toBe(before + price)
  const header = response.headers.get('x-payment-response') ?? ''
  expect(JSON.parse(Buffer.from(header, 'base64').toString())).toMatchObject({ success: true, network: 'base-sepolia' })
})

test.each(['!!!', 'e30=', Buffer.from('{"x402Version":2}').toString('base64'), 'null', ' '.repeat(3)])(
  'a malformed payment header (%s) is 400, not a fresh challenge',
  async (header) => {
    const { path } = await network.publish(owner, { name: 'malformed', price })
    for (const name of ['payment-signature', 'x-payment']) {
      const response = await fetch(url(path), { headers: { [name]: header } })
      expect(response.status, name).toBe(400)
      expect(await response.json()).toMatchObject({ code: 'payment_invalid' })
    }
    expect(worker.seen).toEqual([])
  },
)

test('one payment, ten sends at once: one run, one charge, ten identical answers', async () => {
  const { path } = await network.publish(owner, { name: 'ten', price })
  worker.state.behave = () => ({ do: 'answer', body: String(Math.random()), delayMs: 200 })
  const before = await network.balance(owner.address)
  const { header } = await signPayment(payer, await fetch(url(path)))
  const responses = await Promise.all(Array.from({ length: 10 }, () => pay(path, header)))
  const texts = await Promise.all(responses.map((response) => response.text()))
  expect(responses.map(({ status }) => status)).toEqual(Array(10).fill(200))
  expect(new Set(texts).size).toBe(1)
  expect(new Set(responses.map(({ headers }) => headers.get('peerhost-receipt'))).size).toBe(1)
  expect(worker.seen).toHaveLength(1)
  expect(await network.balance(owner.address)).toBe(before + price)
  const again = await pay(path, header)
  expect(await again.text()).toBe(texts[0])
  expect(again.headers.get('peerhost-receipt')).toBe(responses[0]?.headers.get('peerhost-receipt'))
  expect(worker.seen).toHaveLength(1)
})

test('one payment for two requests: the second is a conflict, while the first runs and after', async () => {
  const { path } = await network.publish(owner, { name: 'two', price })
  const other = await network.publish(owner, { name: 'two-other', price })
  worker.state.behave = () => ({ do: 'answer', delayMs: 300 })
  const { header } = await signPayment(payer, await fetch(url(path)))
  const [first, swapped] = await Promise.all([
    pay(path, header, { method: 'POST', body: 'mine' }),
    new Promise((resolve) => setTimeout(resolve, 100)).then(() =>
      pay(path, header, { method: 'POST', body: 'swapped' }),
    ),
  ])
  expect(first.status).toBe(200)
  expect(swapped.status).toBe(409)
  expect(await swapped.json()).toMatchObject({ code: 'payment_conflict' })
  expect((await pay(path, header, { method: 'POST', body: 'swapped' })).status).toBe(409)
  expect((await pay(other.path, header, { method: 'POST', body: 'mine' })).status).toBe(409)
  expect(worker.seen).toHaveLength(1)
})

test.each([
  ['status 400', { do: 'answer', status: 400, body: 'no' } as const, 400],
  ['status 500', { do: 'answer', status: 500, body: 'no' } as const, 500],
  ['an exception', { do: 'fail', outcome: 'threw' } as const, 500],
])('after: %s passes through and costs nothing; the payment can be used again', async (name, behaviour, status) => {
  const { path } = await network.publish(owner, { name: `free-failure-${status}-${name.length}`, price })
  worker.state.behave = () => behaviour
  const before = await network.balance(owner.address)
  const { header } = await signPayment(payer, await fetch(url(path)))
  const failed = await pay(path, header)
  expect(failed.status).toBe(status)
  expect(failed.headers.get('peerhost-receipt')).toBeTruthy()
  expect(failed.headers.get('payment-response')).toBeNull()
  expect(await network.balance(owner.address)).toBe(before)
  worker.state.behave = () => ({ do: 'answer' })
  expect((await pay(path, header)).status).toBe(200)
  expect(await network.balance(owner.address)).toBe(before + price)
  expect(worker.seen).toHaveLength(2)
})

test('upfront: money moves before the run; after a failure the same payment runs again until there is an answer', async () => {
  const { path } = await network.publish(owner, { name: 'upfront', price, paymentMode: 2 })
  const before = await network.balance(owner.address)
  worker.state.behave = async () => {
    expect(await network.balance(owner.address)).toBe(before + price)
    return { do: 'answer', status: 503, body: 'not yet' }
  }
  const challenge = await fetch(url(path))
  expect(decodePaymentRequiredHeader(challenge.headers.get('payment-required') ?? '').accepts[0]?.extra).toMatchObject({
    paymentFlow: 'upfront',
  })
  const { header } = await signPayment(payer, challenge)
  const failed = await pay(path, header)
  expect(failed.status).toBe(503)
  expect(decodePaymentResponseHeader(failed.headers.get('payment-response') ?? '').success).toBe(true)
  worker.state.behave = () => ({ do: 'answer', body: 'now' })
  expect(await (await pay(path, header)).text()).toBe('now')
  expect(await (await pay(path, header)).text()).toBe('now')
  expect(worker.seen).toHaveLength(2)
  expect(await network.balance(owner.address)).toBe(before + price)
})

test('upfront: a payment that cannot be collected runs nothing', async () => {
  const { path } = await network.publish(owner, { name: 'upfront-poor', price, paymentMode: 2 })
  const poor = newKey()
  const { header } = await signPayment(poor, await fetch(url(path)))
  const response = await pay(path, header)
  expect(response.status).toBe(402)
  expect(await response.json()).toMatchObject({ code: 'payment_rejected' })
  expect(worker.seen).toEqual([])
})

test('payer empties the wallet while the function runs: the result is withheld; the same payment buys it later without a second run', async () => {
  const { path } = await network.publish(owner, { name: 'emptied', price })
  worker.state.behave = async () => {
    await network.call(payer.account, testUsdcAbi, token, 'transfer', [
      owner.address,
      await network.balance(payer.account.address),
    ])
    return { do: 'answer', body: 'secret result' }
  }
  const { header } = await signPayment(payer, await fetch(url(path)))
  const response = await pay(path, header)
  expect(response.status).toBe(402)
  const text = await response.text()
  expect(text).not.toContain('secret result')
  expect(JSON.parse(text)).toMatchObject({ code: 'payment_settlement_failed' })
  expect(decodePaymentResponseHeader(response.headers.get('payment-response') ?? '').success).toBe(false)
  await network.rich(payer.account)
  const again = await pay(path, header)
  expect(await again.text()).toBe('secret result')
  expect(worker.seen).toHaveLength(1)
})

test('front-run authorization: somebody else submits it first, and it counts as paid once', async () => {
  const { path } = await network.publish(owner, { name: 'front-run', price })
  const before = await network.balance(owner.address)
  const { header, authorization, signature } = await signPayment(payer, await fetch(url(path)))
  const stranger = newKey().account
  await network.rich(stranger)
  worker.state.behave = async () => {
    const { r, s, v } = parseSignature(signature)
    const { from, to, value, validAfter, validBefore, nonce } = authorization
    await network.call(stranger, testUsdcAbi, token, 'transferWithAuthorization', [
      from,
      to,
      BigInt(value),
      BigInt(validAfter),
      BigInt(validBefore),
      nonce,
      Number(v),
      r,
      s,
    ])
    return { do: 'answer' }
  }
  const response = await pay(path, header)
  expect(response.status, await response.clone().text()).toBe(200)
  expect(await network.balance(owner.address)).toBe(before + price)
})

test('cancelled authorization: the result is withheld', async () => {
  const { path } = await network.publish(owner, { name: 'cancelled', price })
  const { header, authorization } = await signPayment(payer, await fetch(url(path)))
  worker.state.behave = async () => {
    const { r, s, v } = parseSignature(
      await payer.account.signTypedData({
        domain: { name: 'USDC', version: '2', chainId: 84_532, verifyingContract: token },
        types: {
          CancelAuthorization: [
            { name: 'authorizer', type: 'address' },
            { name: 'nonce', type: 'bytes32' },
          ],
        },
        primaryType: 'CancelAuthorization',
        message: { authorizer: authorization.from, nonce: authorization.nonce },
      }),
    )
    await network.call(payer.account, testUsdcAbi, token, 'cancelAuthorization', [
      authorization.from,
      authorization.nonce,
      Number(v),
      r,
      s,
    ])
    return { do: 'answer', body: 'secret' }
  }
  const response = await pay(path, header)
  expect(response.status).toBe(402)
  expect(await response.json()).toMatchObject({ code: 'payment_settlement_failed' })
})

test.each(['hang', 'lie'] as const)(
  'a facilitator that %ss: never a fresh 402, and the outcome is found out',
  async (fault) => {
    const { path } = await network.publish(owner, { name: `facilitator-${fault}`, price })
    const before = await network.balance(owner.address)
    facilitator.settle = fault
    const { header } = await signPayment(payer, await fetch(url(path)))
    const response = await pay(path, header)
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBeTruthy()
    expect(await response.json()).toMatchObject({ code: 'payment_settlement_unknown', retryable: true })
    facilitator.settle = 'real'
    await until(async () => (await network.balance(owner.address)) === before + price)
    expect((await pay(path, header)).status).toBe(200)
    expect(worker.seen).toHaveLength(1)
    expect(await network.balance(owner.address)).toBe(before + price)
  },
)

test('a settlement whose answer was lost is found on chain at once', async () => {
  const { path } = await network.publish(owner, { name: 'lost-answer', price })
  const before = await network.balance(owner.address)
  facilitator.settle = 'lose'
  const { header } = await signPayment(payer, await fetch(url(path)))
  expect((await pay(path, header)).status).toBe(200)
  expect(await network.balance(owner.address)).toBe(before + price)
})

test.each([
  ['wrong payee', { to: '0x000000000000000000000000000000000000dEaD' }],
  ['too little', { value: '999' }],
  ['too much', { value: '1001' }],
  ['expired', { validBefore: '1' }],
] as const)('rejects %s with a fresh quote and runs nothing', async (_, change) => {
  const { path } = await network.publish(owner, { name: 'rejects', price })
  const { header } = await signPayment(payer, await fetch(url(path)), change)
  const response = await pay(path, header)
  expect(response.status).toBe(402)
  expect(response.headers.get('payment-required')).toBeTruthy()
  expect(await response.json()).toMatchObject({ code: 'payment_rejected' })
  expect(worker.seen).toEqual([])
})

test('a payment that names another network or asset is rejected', async () => {
  const { path } = await network.publish(owner, { name: 'elsewhere', price })
  const { header } = await signPayment(payer, await fetch(url(path)))
  const payload = JSON.parse(Buffer.from(header, 'base64').toString())
  for (const change of [{ network: 'eip155:1' }, { asset: owner.address }]) {
    const changed = { ...payload, accepted: { ...payload.accepted, ...change } }
    const response = await pay(path, Buffer.from(JSON.stringify(changed)).toString('base64'))
    expect(response.status).toBe(402)
    expect(await response.json()).toMatchObject({
      code: 'payment_rejected',
      detail: expect.stringContaining('not accepted'),
    })
  }
  expect(worker.seen).toEqual([])
})

test('a signature by somebody else is rejected', async () => {
  const { path } = await network.publish(owner, { name: 'forged', price })
  const { header } = await signPayment(newKey(), await fetch(url(path)), { from: payer.account.address })
  expect((await pay(path, header)).status).toBe(402)
  expect(worker.seen).toEqual([])
})

test('a replaced price is honoured for payments that were being signed, the new one is asked from then on', async () => {
  const { path, functionId } = await network.publish(owner, { name: 'repriced', price })
  const { header } = await signPayment(payer, await fetch(url(path)))
  await network.call(owner, functionRegistryAbi, network.addresses.registry, 'setPrice', [
    functionId,
    2_000n,
    owner.address,
    1,
  ])
  await until(async () => {
    const challenge = await fetch(url(path))
    return decodePaymentRequiredHeader(challenge.headers.get('payment-required') ?? '').accepts[0]?.amount === '2000'
  })
  const before = await network.balance(owner.address)
  expect((await pay(path, header)).status).toBe(200)
  expect(await network.balance(owner.address)).toBe(before + price)
  expect(LIMITS.quoteGraceSeconds).toBe(60)
})
