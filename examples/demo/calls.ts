import { join } from 'node:path'
import type { Devnet } from '@peerhost/devnet'
import { decodeReceiptHeader, type Receipt } from '@peerhost/protocol'
import { type Connection, connect, formatAmount, getTranscript, verifyReceipt } from '@peerhost/sdk'
import { ExactEvmScheme } from '@x402/evm/exact/client'
import { wrapFetchWithPayment, x402Client } from '@x402/fetch'
import { createWalletClient, http } from 'viem'
import { baseSepolia } from 'viem/chains'
import { wrapFetchWithPayment as wrapFetchWithPaymentV1 } from 'x402-fetch'
import { callThroughMcp } from './callThroughMcp.ts'

/** One call as the table shows it. What a call does not have is `null`: one that is refused runs nowhere. */
export type Row = {
  call: string
  ok: boolean
  /** Decimal tokens. */
  pricePaid: string
  /** Operator of the worker that ran it. */
  worker: string | null
  latencyMs: number
  requestId: string | null
  /** The transaction in which the execution was settled on chain. */
  settlementTx: string | null
  receiptVerified: boolean | null
  /** The transaction in which the price was paid. */
  paymentTx: string | null
  error?: string
}

/** What one way of calling gives: the status, and the receipt that came with the answer. */
export type Answered = {
  status: number
  receipt: Receipt | undefined
  detail: string
  /** From the call to the last byte of the answer, payment included. */
  latencyMs: number
}

type Urls = { today: string; forecast: string }
type Way = { call: string; priced: boolean; run: () => Promise<Answered> }

const settlementWaitMs = 60_000
const callTimeoutMs = 120_000

/** Calls the weather in every way there is, one after the other. */
export async function* callEveryWay(devnet: Devnet, urls: Urls, signal: AbortSignal): AsyncGenerator<Row> {
  const reader = await connect({ gatewayUrl: devnet.gatewayUrl, rpcUrl: devnet.chain.rpcUrl, pollingIntervalMs: 50 })
  const today = `${urls.today}?city=Lisbon`
  yield* runWays(reader, [{ call: 'free', priced: false, run: () => answerOf(fetch, today) }], signal)
  yield await withoutPayment(urls.forecast, signal)
  const paid = forecastRequest()
  const ways: Way[] = [
    { call: 'x402 v2 (@x402/fetch)', priced: true, run: () => answerOf(fetchV2(devnet), urls.forecast, paid) },
    { call: 'x402 v1 (x402-fetch)', priced: true, run: () => answerOf(fetchV1(devnet), urls.forecast, paid) },
    {
      call: 'confirmed lane',
      priced: false,
      run: () => answerOf(fetch, today, { headers: { 'peerhost-lane': 'confirmed' } }),
    },
    { call: 'MCP server', priced: true, run: () => callThroughMcp(devnet, join(devnet.directory, 'mcp')) },
  ]
  yield* runWays(reader, ways, signal)
}

async function* runWays(reader: Connection, ways: readonly Way[], signal: AbortSignal): AsyncGenerator<Row> {
  for (const way of ways) {
    signal.throwIfAborted()
    yield await runWay(reader, way)
  }
}

async function runWay(reader: Connection, { call, priced, run }: Way): Promise<Row> {
  const row: Row = { call, ...nothing }
  try {
    const { status, receipt, detail, latencyMs } = await run()
    row.latencyMs = Math.round(latencyMs)
    if (status !== 200) return { ...row, error: `status ${status}: ${detail}` }
    if (!receipt) return { ...row, error: 'the answer has no receipt' }
    const verified = await verify(reader, receipt)
    const expected = priced ? '0.001' : '0'
    Object.assign(row, verified)
    row.ok = verified.receiptVerified && verified.settlementTx !== null && verified.pricePaid === expected
    return row.ok || row.error ? row : { ...row, error: `paid ${row.pricePaid} where ${expected} is the price` }
  } catch (error) {
    const { message, hint = '', details = [] } = error as Error & { hint?: string; details?: string[] }
    return { ...row, error: [message, ...details, hint].join(' ') }
  }
}

/** Everything that anyone can check about an answer: signatures, seals, operators, payment, the record on chain. */
async function verify(reader: Connection, receipt: Receipt) {
  const { requestId, salt } = receipt
  const transcript = await getTranscript(reader, { requestId, salt })
  const verdict = await verifyReceipt(reader, {
    receipt,
    request: transcript.request,
    result: transcript.result,
    waitForSettlementMs: settlementWaitMs,
  })
  const failed = verdict.checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name} (${detail ?? 'failed'})`)
  const error =
    failed.length > 0 ? `receipt: ${failed.join(', ')}` : !verdict.settled ? 'not settled on chain' : undefined
  return {
    pricePaid: formatAmount(BigInt(receipt.payment?.amount ?? 0), reader.network.token.decimals),
    worker: receipt.attestations[0]?.operator ?? null,
    requestId,
    settlementTx: verdict.settlement?.transaction ?? null,
    receiptVerified: verdict.ok,
    paymentTx: receipt.payment?.transaction ?? null,
    ...(error ? { error } : {}),
  }
}

/** A priced function asks for its price before anything else. */
async function withoutPayment(url: string, signal: AbortSignal): Promise<Row> {
  const startedAt = performance.now()
  const response = await fetch(url, { ...forecastRequest(), signal })
  const body = (await response.json()) as { accepts?: unknown[] }
  const asksBoth = response.headers.has('payment-required') && (body.accepts?.length ?? 0) > 0
  const ok = response.status === 402 && asksBoth
  const row = {
    call: 'priced, without payment: 402',
    ...nothing,
    ok,
    latencyMs: Math.round(performance.now() - startedAt),
  }
  return ok ? row : { ...row, error: `status ${response.status}, ${asksBoth ? 'with' : 'without'} both challenges` }
}

async function answerOf(fetchPaid: typeof fetch, url: string, init: RequestInit = {}): Promise<Answered> {
  const startedAt = performance.now()
  const response = await fetchPaid(url, { ...init, signal: AbortSignal.timeout(callTimeoutMs) })
  const detail = await response.text()
  const latencyMs = performance.now() - startedAt
  const header = response.headers.get('peerhost-receipt')
  return { status: response.status, receipt: header ? decodeReceiptHeader(header) : undefined, detail, latencyMs }
}

function forecastRequest(): RequestInit {
  const body = JSON.stringify({ city: 'Lisbon', days: 2 })
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body }
}

function fetchV2({ accounts }: Devnet): typeof fetch {
  return wrapFetchWithPayment(fetch, new x402Client().register('eip155:*', new ExactEvmScheme(accounts.payer)))
}

function fetchV1({ accounts, chain }: Devnet): typeof fetch {
  const wallet = createWalletClient({ account: accounts.payer, chain: baseSepolia, transport: http(chain.rpcUrl) })
  return wrapFetchWithPaymentV1(fetch, wallet as never) as typeof fetch
}

const nothing = {
  ok: false,
  pricePaid: '0',
  worker: null,
  latencyMs: 0,
  requestId: null,
  settlementTx: null,
  receiptVerified: null,
  paymentTx: null,
}
