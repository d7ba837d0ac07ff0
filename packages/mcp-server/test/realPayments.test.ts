import type { Client } from '@modelcontextprotocol/client'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Fault, startTestGateway, type TestGateway } from '../../sdk/test/testGateway.ts'
import { startTestNetwork, type TestNetwork } from '../../sdk/test/testNetwork.ts'
import { createSdkPort } from '../src/sdkPort.ts'
import { connectInMemory, createTestServer, type TestServer, textOf } from './testServer.ts'

// The server over the real SDK, a real chain with the real token and contracts, and a gateway that fails when told to.
let network: TestNetwork
let gateway: TestGateway
beforeAll(async () => {
  network = await startTestNetwork()
  gateway = await startTestGateway(network)
})
afterAll(async () => {
  await gateway?.stop()
  await network?.stop()
})

const open: { close: () => Promise<void> }[] = []
afterEach(async () => {
  gateway.state.faults = []
  for (const one of open.splice(0)) await one.close()
})

async function start(policy: Record<string, unknown> = {}): Promise<{ server: TestServer; client: Client }> {
  const { agent } = network.accounts
  const server = await createTestServer({
    port: createSdkPort({ gatewayUrl: gateway.url, rpcUrl: network.chain.rpcUrl, nowMs: () => Date.now() }),
    key: { account: agent, source: 'environment', secret: agent.privateKey },
    policy,
  })
  const client = await connectInMemory(server)
  open.push(client, server)
  return { server, client }
}

type Meta = {
  'dev.peerhost/call': {
    call_id: string
    paid: { amount: string; transaction: string } | null
    receipt: unknown
    replayed: boolean
  }
  'dev.peerhost/error': { code: string }
  'x402/payment-response': { success: boolean; transaction: string; payer: string }
}
const metaOf = (result: unknown) => (result as { _meta: Partial<Meta> })._meta
const ask = (city: string) => ({ name: 'weather_forecast', arguments: { query: { city } } })
const balances = async () => ({
  agent: await network.balanceOf(network.accounts.agent.address),
  payee: await network.balanceOf(network.accounts.developer.address),
})

test('pays exactly the price, once, and verifies the receipt on chain', async () => {
  const { client } = await start()
  const before = await balances()
  const result = await client.callTool(ask('Oslo'))
  expect(textOf(result)).toContain('Oslo')
  expect(textOf(result)).toContain('receipt verified: yes (verified)')
  const { 'dev.peerhost/call': call, 'x402/payment-response': response } = metaOf(result)
  expect(call).toMatchObject({ paid: { amount: '1000' }, receipt: { verified: 'yes', present: true }, replayed: false })
  expect(response).toMatchObject({
    success: true,
    payer: network.accounts.agent.address,
    transaction: call?.paid?.transaction,
  })
  expect(await balances()).toEqual({ agent: before.agent - 1_000n, payee: before.payee + 1_000n })
  expect(metaOf(await client.callTool(ask('Oslo')))['dev.peerhost/call']).toMatchObject({ replayed: true })
  expect(await balances()).toEqual({ agent: before.agent - 1_000n, payee: before.payee + 1_000n })
})

test('calls a free function, with a receipt and without a payment', async () => {
  const { client } = await start()
  const result = await client.callTool({ name: 'weather_now', arguments: {} })
  expect(metaOf(result)['dev.peerhost/call']).toMatchObject({ paid: null, receipt: { verified: 'yes' } })
})

test('signs nothing over the budget', async () => {
  const { client } = await start({ maxPerCall: '0.000999' })
  const signatures = gateway.state.signatures.length
  const before = await balances()
  const result = await client.callTool(ask('Bergen'))
  expect(metaOf(result)['dev.peerhost/error']).toMatchObject({ code: 'budget_exceeded' })
  expect(gateway.state.signatures).toHaveLength(signatures)
  expect(await balances()).toEqual(before)
})

test('gets a lost answer later, with the same payment', async () => {
  const { client } = await start()
  const before = await balances()
  const runs = gateway.state.runs
  gateway.state.faults = Array.from({ length: 5 }, (): Fault => 'drop-after-work')
  const lost = await client.callTool(ask('Tromsø'))
  expect(metaOf(lost)['dev.peerhost/error']).toMatchObject({ code: 'payment_settlement_unknown' })
  gateway.state.faults = []
  const callId = /call_id: ([0-9a-f-]{36})/.exec(textOf(lost))?.[1]
  const status = await client.callTool({ name: 'peer_call_status', arguments: { call_id: callId } })
  expect(status.structuredContent).toMatchObject({
    status: 'answered',
    call: { http_status: 200, paid: { amount: '1000' }, receipt: { verified: 'yes' } },
  })
  expect(await balances()).toEqual({ agent: before.agent - 1_000n, payee: before.payee + 1_000n })
  expect(gateway.state.runs).toBe(runs + 1)
  expect(metaOf(await client.callTool(ask('Tromsø')))['dev.peerhost/call']).toMatchObject({ replayed: true })
}, 60_000)

test('holds the money of a refused payment, and says that it is not charged', async () => {
  const { client } = await start()
  const before = await balances()
  gateway.state.faults = ['refuse']
  const refused = await client.callTool(ask('Bodø'))
  expect(refused.isError).toBe(true)
  const spending = await client.callTool({ name: 'peer_spending', arguments: {} })
  expect(spending.structuredContent).toMatchObject({
    today: { used: '0.001', held: '0.001' },
    holds: [{ status: 'unsettled' }],
  })
  expect(await balances()).toEqual(before)
})

test('refuses a gateway that asks for more than the registry, or for someone else', async () => {
  const { client } = await start()
  const signatures = gateway.state.signatures.length
  gateway.state.challenge = (accepts) => accepts.map((entry) => ({ ...entry, amount: '1001' }))
  expect(metaOf(await client.callTool(ask('Moss')))['dev.peerhost/error']).toMatchObject({ code: 'price_drift' })
  gateway.state.challenge = (accepts) => accepts.map((entry) => ({ ...entry, payTo: network.accounts.payer.address }))
  expect(metaOf(await client.callTool(ask('Moss')))['dev.peerhost/error']).toMatchObject({ code: 'payee_changed' })
  gateway.state.challenge = (accepts) => accepts
  expect(gateway.state.signatures).toHaveLength(signatures)
})

test('shows the balance of the chain', async () => {
  const { client } = await start()
  const wallet = await client.callTool({ name: 'peer_wallet', arguments: {} })
  const { agent } = await balances()
  const { balance } = wallet.structuredContent as { balance: string }
  expect(BigInt(Math.round(Number(balance.split(' ')[0]) * 1e6))).toBe(agent)
})
