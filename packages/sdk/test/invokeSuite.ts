import {
  type Connection,
  connect,
  createPeerHost,
  getFunction,
  getPrice,
  invoke,
  listFunctions,
  quote,
  resume,
  verifyResponse,
} from '@peerhost/sdk'
import type { Hex } from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SuiteNetwork } from './suiteNetworks.ts'

/** What any gateway must do for the SDK, run over a base URL. Each function answers JSON that holds the query it got. */
export function describeInvoke(name: string, start: () => Promise<SuiteNetwork>): void {
  describe(`invoke: ${name}`, () => {
    let network: SuiteNetwork
    let connection: Connection
    let reader: Connection

    beforeAll(async () => {
      network = await start()
      connection = await connect({ gatewayUrl: network.gatewayUrl, account: network.payer, pollingIntervalMs: 50 })
      reader = await connect({ gatewayUrl: `${network.gatewayUrl}/` })
    })
    afterAll(() => network?.stop())

    test('lists and shows functions with their prices', async () => {
      const { functions } = await listFunctions(reader, { priced: true })
      expect(functions.map((card) => card.functionId)).toContain(network.priced.functionId)
      expect(functions.map((card) => card.functionId)).not.toContain(network.free.functionId)
      const card = await getFunction(reader, { functionId: network.priced.functionId })
      expect(card).toMatchObject({ functionId: network.priced.functionId, price: 1_000n, assurance: 'verified' })
      const price = await getPrice(reader, { functionId: network.priced.functionId })
      expect(price).toMatchObject({ price: 1_000n, priceText: '0.001', payee: network.payee, paymentMode: 'after' })
    })

    test('calls a free function without an account and verifies the answer', async () => {
      const { functionId } = network.free
      const response = await invoke(reader, {
        functionId,
        path: '/deep/%2Fer',
        query: [
          ['city', 'São Paulo'],
          ['city', 'Oslo & more'],
        ],
        headers: { 'x-trace': 'one' },
      })
      expect(response.status).toBe(200)
      expect(response.text()).toContain('São Paulo')
      expect(response.payment).toBeUndefined()
      expect(response.receipt?.requestId).toBe(response.requestId)
      const verified = await verifyResponse(reader, { response })
      expect(verified.checks.filter(({ ok }) => !ok)).toEqual([])
      expect(verified).toMatchObject({ ok: true, level: 'verified' })
    })

    test('quotes without running: zero for a free function, the price for a priced one', async () => {
      expect(await quote(reader, { functionId: network.free.functionId })).toMatchObject({ price: 0n, priceText: '0' })
      expect(await quote(reader, { url: network.priced.url })).toMatchObject({
        functionId: network.priced.functionId,
        price: 1_000n,
        priceText: '0.001',
        payTo: network.payee,
      })
    })

    test('spends nothing unless it was allowed to', async () => {
      const before = await network.balanceOf(network.payer.address)
      const { functionId } = network.priced
      await expect(invoke(connection, { functionId })).rejects.toMatchObject({ code: 'payment_required' })
      await expect(invoke(connection, { functionId, maxPrice: '0.0009' })).rejects.toMatchObject({
        code: 'budget_exceeded',
      })
      await expect(invoke(reader, { functionId, maxPrice: '1' })).rejects.toMatchObject({ code: 'config_invalid' })
      const refusal = new Error('Not today.')
      await expect(
        invoke(connection, {
          functionId,
          maxPrice: '1',
          authorize: () => {
            throw refusal
          },
        }),
      ).rejects.toBe(refusal)
      expect(await network.balanceOf(network.payer.address)).toBe(before)
    })

    test('pays exactly the price, once, and proves it down to the settlement on chain', async () => {
      const payer = network.payer.address
      const before = { payer: await network.balanceOf(payer), payee: await network.balanceOf(network.payee) }
      const signed: unknown[] = []
      const quotes: bigint[] = []
      const response = await invoke(connection, {
        url: network.priced.url,
        query: { city: 'Bergen' },
        json: { days: 3 },
        maxPrice: '0.001',
        authorize: ({ price }) => void quotes.push(price),
        onSigned: (pending) => void signed.push(pending),
      })
      expect(response.status).toBe(200)
      expect(response.text()).toContain('Bergen')
      expect(quotes).toEqual([1_000n])
      expect(signed).toHaveLength(1)
      expect(response.payment).toMatchObject({ outcome: 'paid', amount: 1_000n, amountText: '0.001', payer })
      expect(await network.balanceOf(payer)).toBe(before.payer - 1_000n)
      expect(await network.balanceOf(network.payee)).toBe(before.payee + 1_000n)
      await network.settle(response.requestId as Hex)
      const verified = await verifyResponse(connection, { response, waitForSettlementMs: 30_000 })
      expect(verified.checks.filter(({ ok }) => !ok)).toEqual([])
      expect(verified).toMatchObject({ ok: true, settled: true })
      expect(verified.checks.map(({ name }) => name)).toContain('settlement')
    })

    test('gets the same answer again with the same payment', async () => {
      const pendings: Parameters<typeof resume>[1]['pendingPayment'][] = []
      const first = await invoke(connection, {
        functionId: network.priced.functionId,
        maxPrice: '0.001',
        onSigned: (pending) => void pendings.push(pending),
      })
      const [pendingPayment] = pendings
      if (!pendingPayment) throw new Error('Nothing was signed.')
      const before = await network.balanceOf(network.payer.address)
      const kept = JSON.parse(JSON.stringify(pendingPayment)) as typeof pendingPayment
      const again = await resume(connection, { pendingPayment: kept })
      expect(again.text()).toBe(first.text())
      expect(again.requestId).toBe(first.requestId)
      expect(await network.balanceOf(network.payer.address)).toBe(before)
    })

    test.each([
      ['throw', 500],
      ['418', 418],
    ])('does not pay for a function that fails (%s), and gives its answer', async (fail, status) => {
      const before = await network.balanceOf(network.payer.address)
      const { functionId } = network.priced
      const response = await invoke(connection, { functionId, query: { fail }, maxPrice: '0.001' })
      expect(response).toMatchObject({ status, payment: { outcome: 'not-paid', transaction: undefined } })
      expect(response.receipt?.attestations).toHaveLength(1)
      expect(await network.balanceOf(network.payer.address)).toBe(before)
    })

    test('says what is wrong with a call', async () => {
      const unknown = `0x${'ab'.repeat(32)}` as const
      await expect(invoke(connection, { functionId: unknown })).rejects.toMatchObject({ code: 'function_not_found' })
      await expect(getPrice(connection, { functionId: unknown })).rejects.toMatchObject({ code: 'function_not_found' })
      await expect(quote(connection, { url: `${network.gatewayUrl}/nothing` })).rejects.toMatchObject({
        code: 'function_not_found',
      })
      await expect(invoke(connection, {})).rejects.toMatchObject({ code: 'request_invalid' })
      await expect(invoke(connection, { url: network.free.url, path: '/../up' })).rejects.toMatchObject({
        code: 'request_invalid',
      })
    })

    test('offers the same actions bound to the connection', async () => {
      const peerhost = createPeerHost(connection)
      const response = await peerhost.invoke({ functionId: network.free.functionId, query: 'a=1' })
      expect(response.status).toBe(200)
      expect(await peerhost.getPrice({ functionId: network.free.functionId })).toMatchObject({ price: 0n })
    })
  })
}
