import type { Client } from '@modelcontextprotocol/client'
import { PeerHostError } from '@peerhost/protocol'
import { afterEach, expect, test } from 'vitest'
import { connectInMemory, createTestServer, type TestServer, testAccount, testKey, textOf } from './testServer.ts'

const open: { close: () => Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function start(
  options: Parameters<typeof createTestServer>[0] = {},
): Promise<{ server: TestServer; client: Client }> {
  const server = await createTestServer(options)
  const forecast = server.fake.add({
    name: 'forecast',
    price: 2_000n,
    description: 'Tomorrow’s weather',
    input: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  })
  server.fake.add({ name: 'today', price: 0n })
  const client = await connectInMemory(server)
  open.push(client, server)
  expect(forecast.price).toBe(2_000n)
  return { server, client }
}

const oslo = { name: 'weather_forecast', arguments: { city: 'Oslo' } }
type Meta = {
  'dev.peerhost/call'?: { paid: unknown; replayed: boolean; call_id: string }
  'dev.peerhost/error'?: { code: string }
}
const metaOf = (result: unknown) => (result as { _meta: Meta })._meta
const codeOf = (result: unknown) => metaOf(result)['dev.peerhost/error']?.code

test('lists eight meta tools and one tool per function, with the price in three places', async () => {
  const { client } = await start()
  const { tools } = await client.listTools()
  expect(tools.map(({ name }) => name)).toEqual([
    'peer_search',
    'peer_describe',
    'peer_quote',
    'peer_call',
    'peer_call_status',
    'peer_wallet',
    'peer_spending',
    'peer_policy',
    'weather_forecast',
    'weather_today',
  ])
  const forecast = tools.find(({ name }) => name === 'weather_forecast')
  expect(forecast?.title).toBe('weather/forecast (0.002 USDC)')
  expect(forecast?.description?.split('\n')[0]).toBe('Costs 0.002 USDC per call, charged only on success.')
  expect(forecast?._meta?.['dev.peerhost/price']).toMatchObject({
    amount: '2000',
    text: '0.002 USDC',
    network: 'eip155:84532',
  })
  expect(forecast?.outputSchema).toBeUndefined()
  expect(forecast?.annotations).toEqual({
    readOnlyHint: false,
    destructiveHint: false,
    idempotentHint: false,
    openWorldHint: true,
  })
})

test('pays for a priced call once, and says price, transaction and what is left', async () => {
  const { client, server } = await start()
  const result = await client.callTool(oslo)
  expect(result.isError).toBeFalsy()
  expect(textOf(result)).toContain('"city":"Oslo"')
  expect(textOf(result)).toMatch(/Paid 0\.002 USDC, tx 0x[0-9a-f]{64}.*0\.998 USDC left today/)
  expect((result as { _meta: Record<string, unknown> })._meta['x402/payment-response']).toMatchObject({
    success: true,
    payer: testAccount.address,
  })
  expect(server.fake.used.size).toBe(1)
  expect(server.fake.signatures).toHaveLength(1)
})

test('gives the stored answer to an identical call, and pays again only for another one', async () => {
  const { client, server } = await start()
  await client.callTool(oslo)
  const again = await client.callTool(oslo)
  expect(metaOf(again)['dev.peerhost/call']).toMatchObject({ replayed: true })
  expect(server.fake.runs).toHaveLength(1)
  await client.callTool({ name: 'weather_forecast', arguments: { city: 'Rome' } })
  expect(server.fake.used.size).toBe(2)
})

test('runs one of ten identical parallel calls and pays once', async () => {
  const { client, server } = await start()
  const results = await Promise.all(Array.from({ length: 10 }, () => client.callTool(oslo)))
  const codes = results.map((result) => codeOf(result) ?? 'ok')
  expect(codes.filter((code) => code === 'ok').length).toBeGreaterThanOrEqual(1)
  expect(codes.every((code) => code === 'ok' || code === 'payment_in_progress')).toBe(true)
  expect(server.fake.used.size).toBe(1)
  expect(server.fake.runs).toHaveLength(1)
})

test.each([
  ['a limit of the policy', { maxPerCall: '0.001' }, {}, 'budget_exceeded'],
  ['a policy that cannot be read', { maxPerCall: 'lots' }, {}, 'config_invalid'],
  ['an unknown member in the policy', { maxPerCal: '1' }, {}, 'config_invalid'],
  ['an asset that is not listed', { assets: [] }, {}, 'payment_rejected'],
  [
    'a provider that is denied',
    { providers: { deny: ['0x1111111111111111111111111111111111111111'] } },
    {},
    'payment_rejected',
  ],
  ['the model’s own max_price', {}, { max_price: '0.0019' }, 'budget_exceeded'],
])('refuses by %s, and signs nothing', async (_, policy, extra, code) => {
  const { client, server } = await start({ policy })
  const result = await client.callTool({
    name: 'peer_call',
    arguments: { function: 'weather/forecast', arguments: { city: 'Oslo' }, ...extra },
  })
  expect(result.isError).toBe(true)
  expect(codeOf(result)).toBe(code)
  expect(server.fake.signatures).toEqual([])
})

test('does not let max_price widen the policy', async () => {
  const { client, server } = await start({ policy: { maxPerCall: '0.001' } })
  const result = await client.callTool({
    name: 'peer_call',
    arguments: { function: 'weather/forecast', arguments: { city: 'Oslo' }, max_price: '1000' },
  })
  expect(codeOf(result)).toBe('budget_exceeded')
  expect(server.fake.signatures).toEqual([])
})

test('refuses a live price above, or a payee other than, what was shown', async () => {
  const { client, server } = await start()
  const [forecast] = [...server.fake.cards.values()]
  server.fake.live.set(forecast!.functionId, { amount: 2_001n })
  expect(codeOf(await client.callTool(oslo))).toBe('price_drift')
  server.fake.live.set(forecast!.functionId, { payTo: '0x3333333333333333333333333333333333333333' })
  expect(codeOf(await client.callTool(oslo))).toBe('payee_changed')
  expect(server.fake.signatures).toEqual([])
})

test('binds a quote to its arguments and terms, for one use', async () => {
  const { client, server } = await start()
  const ask = { function: 'weather/forecast', arguments: { city: 'Oslo' } }
  const quote = async () => {
    const { structuredContent } = await client.callTool({ name: 'peer_quote', arguments: ask })
    return structuredContent as { decision: string; quote_id: string; price: string }
  }
  const first = await quote()
  expect(first).toMatchObject({ decision: 'would_pay', price: '0.002 USDC' })
  const other = await client.callTool({
    name: 'peer_call',
    arguments: { function: 'weather/forecast', arguments: { city: 'Rome' }, quote_id: first.quote_id },
  })
  expect(codeOf(other)).toBe('request_invalid')
  const done = await client.callTool({ name: 'peer_call', arguments: { ...ask, quote_id: first.quote_id } })
  expect(done.structuredContent).toMatchObject({ http_status: 200, paid: { text: '0.002 USDC' }, replayed: false })
  const used = await client.callTool({
    name: 'peer_call',
    arguments: { ...ask, idempotency_key: 'again', quote_id: first.quote_id },
  })
  expect(codeOf(used)).toBe('price_drift')
  expect((await quote()).decision).toBe('would_replay')
  expect(server.fake.used.size).toBe(1)
})

test('keeps the hold and blocks the same call when the outcome is unknown, then fetches the answer without paying again', async () => {
  const { client, server } = await start()
  server.fake.onPaid = async () => {
    throw new PeerHostError('payment_settlement_unknown', 'no answer')
  }
  const lost = await client.callTool(oslo)
  expect(codeOf(lost)).toBe('payment_settlement_unknown')
  const callId = /call_id: ([0-9a-f-]{36})/.exec(textOf(lost))?.[1]
  server.fake.onPaid = async () => {}
  expect(codeOf(await client.callTool(oslo))).toBe('payment_settlement_unknown')
  const spending = await client.callTool({ name: 'peer_spending', arguments: {} })
  expect(spending.structuredContent).toMatchObject({ today: { used: '0.002', held: '0.002', left: '0.998' } })
  const status = await client.callTool({ name: 'peer_call_status', arguments: { call_id: callId } })
  expect(status.structuredContent).toMatchObject({
    status: 'answered',
    call: { http_status: 200, paid: { text: '0.002 USDC' } },
  })
  expect(server.fake.signatures).toHaveLength(1)
  expect(metaOf(await client.callTool(oslo))['dev.peerhost/call']).toMatchObject({ replayed: true })
})

test('holds what a failed call signed until the chain proves it was not used', async () => {
  const { client, server } = await start()
  const [forecast] = [...server.fake.cards.values()]
  server.fake.answers.set(forecast!.functionId, () => ({ status: 500, body: '{"error":"no"}' }))
  const failed = await client.callTool(oslo)
  expect(failed.isError).toBe(true)
  expect(textOf(failed)).toContain('Nothing was paid')
  const callId = metaOf(failed)['dev.peerhost/call']?.call_id
  const spending = () => client.callTool({ name: 'peer_spending', arguments: {} })
  expect((await spending()).structuredContent).toMatchObject({ today: { held: '0.002' } })
  const early = await client.callTool({ name: 'peer_call_status', arguments: { call_id: callId } })
  expect(early.structuredContent).toMatchObject({ status: 'answered' })
  expect((await spending()).structuredContent).toMatchObject({ today: { held: '0.002' } })
  server.fake.chainTimeSeconds = () => BigInt(Math.floor(Date.now() / 1_000)) + 3_600n
  await client.callTool({ name: 'peer_call_status', arguments: { call_id: callId } })
  expect((await spending()).structuredContent).toMatchObject({ today: { held: '0', used: '0' } })
})

test('finds out from the chain that a call which was said not to be charged was charged', async () => {
  const { client, server } = await start()
  const [forecast] = [...server.fake.cards.values()]
  server.fake.answers.set(forecast!.functionId, () => ({ status: 500, body: '' }))
  let nonce = ''
  const { invoke } = server.fake.port
  server.fake.port.invoke = (target, options) =>
    invoke(target, {
      ...options,
      onSigned: async (pending) => {
        nonce = pending.authorization.nonce
        await options.onSigned?.(pending)
      },
    })
  const callId = metaOf(await client.callTool(oslo))['dev.peerhost/call']?.call_id
  server.fake.used.set(nonce as `0x${string}`, 2_000n)
  await client.callTool({ name: 'peer_call_status', arguments: { call_id: callId } })
  const spending = await client.callTool({ name: 'peer_spending', arguments: {} })
  expect(spending.structuredContent).toMatchObject({ today: { used: '0.002', held: '0' } })
})

test('calls free functions without a wallet, and says what a priced one would need', async () => {
  const { client } = await start({ readOnly: true })
  expect(textOf(await client.callTool({ name: 'weather_today', arguments: {} }))).toContain('Nothing was paid')
  const refused = await client.callTool(oslo)
  expect(codeOf(refused)).toBe('payment_required')
  expect(textOf(refused)).toContain('PEERHOST_MCP_KEY_FILE')
  const wallet = await client.callTool({ name: 'peer_wallet', arguments: {} })
  expect(wallet.structuredContent).toMatchObject({ mode: 'read-only', address: null })
})

test('answers bad arguments before anything is paid', async () => {
  const { client, server } = await start()
  const result = await client.callTool({
    name: 'peer_call',
    arguments: { function: 'weather/forecast', arguments: { town: 'Oslo' } },
  })
  expect(codeOf(result)).toBe('request_invalid')
  const direct = await client.callTool({ name: 'weather_forecast', arguments: { city: 5 } })
  expect(direct.isError).toBe(true)
  expect(server.fake.runs).toEqual([])
})

test('cuts a long text, and keeps every byte within reach', async () => {
  const { client, server } = await start()
  const [, today] = [...server.fake.cards.values()]
  const long = 'x'.repeat(120_000)
  server.fake.answers.set(today!.functionId, () => ({ type: 'text/plain', body: long }))
  const result = await client.callTool({ name: 'weather_today', arguments: {} })
  const link = (result.content as { type: string; uri?: string }[]).find(({ type }) => type === 'resource_link')
  expect(textOf(result).length).toBeLessThan(52_000)
  const whole = await client.readResource({ uri: link?.uri ?? '' })
  expect((whole.contents[0] as { text: string }).text).toBe(long)
  const callId = metaOf(result)['dev.peerhost/call']?.call_id
  const page = await client.callTool({ name: 'peer_call_status', arguments: { call_id: callId, offset: 100_000 } })
  expect(page.structuredContent).toMatchObject({ page: { text: long.slice(100_000), next_offset: null } })
})

test('gives pictures as pictures and other bytes as a resource', async () => {
  const { client, server } = await start()
  const [, today] = [...server.fake.cards.values()]
  const bytes = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0xff)
  server.fake.answers.set(today!.functionId, () => ({ type: 'image/png', body: bytes }))
  const picture = await client.callTool({ name: 'weather_today', arguments: {} })
  expect(picture.content).toContainEqual({
    type: 'image',
    mimeType: 'image/png',
    data: Buffer.from(bytes).toString('base64'),
  })
  server.fake.answers.set(today!.functionId, () => ({ type: 'application/zip', body: bytes }))
  const file = await client.callTool({ name: 'weather_today', arguments: {} })
  expect((file.content as { type: string }[]).map(({ type }) => type)).toContain('resource')
})

test('never shows the key, in results or in the log', async () => {
  const { client, server } = await start()
  const results = [
    await client.callTool(oslo),
    await client.callTool({ name: 'peer_wallet', arguments: {} }),
    await client.callTool({ name: 'peer_spending', arguments: {} }),
    await client.callTool({ name: 'peer_policy', arguments: {} }),
  ]
  const seen = JSON.stringify([results, server.logs])
  expect(seen).toContain(testAccount.address)
  expect(seen.toLowerCase()).not.toContain(testKey.slice(2))
})

test('starts while the gateway is away, and says so', async () => {
  const { server } = await start()
  server.fake.isAway = true
  const away = await createTestServer({ fake: server.fake })
  const client = await connectInMemory(away)
  open.push(client, away)
  expect((await client.listTools()).tools).toHaveLength(8)
  const found = await client.callTool({ name: 'peer_search', arguments: {} })
  expect(textOf(found)).toContain('gateway_unavailable')
})
