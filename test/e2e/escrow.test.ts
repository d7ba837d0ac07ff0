import { decodeReceiptHeader, paymentEscrowAbi } from '@peerhost/protocol'
import { invoke } from '@peerhost/sdk'
import { ExactEvmScheme } from '@x402/evm/exact/client'
import { wrapFetchWithPayment, x402Client } from '@x402/fetch'
import type { Address } from 'viem'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { wrapFetchWithPayment as wrapFetchWithPaymentV1 } from 'x402-fetch'
import { disputeTimes, eventually, startTestNetwork, type TestNetwork } from './network.ts'

// A release waits for the ticket's deadline and the challenge window.
vi.setConfig({ testTimeout: 180_000 })

let network: TestNetwork
beforeAll(async () => {
  network = await startTestNetwork({ workers: 2, times: { ...disputeTimes, settlementGrace: 7, challengeWindow: 15 } })
})
afterAll(() => network?.close())

const held = (account: Address) =>
  network.chain.readContract({
    address: network.devnet.addresses.escrow,
    abi: paymentEscrowAbi,
    functionName: 'balanceOf',
    args: [account],
  })

const endsWithinMs = 120_000

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
] as const)('a stock x402 %s client that pays into escrow', (_, createFetch) => {
  test('pays the price to an address of this quote; the owner gets it after the challenge window', async () => {
    const { developer, payer } = network.devnet.accounts
    const before = { payer: await network.balanceOf(payer.address), owner: await held(developer.address) }
    const response = await createFetch()(network.url('paid-escrow'), { method: 'POST', body: 'hello' })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ paid: true, body: 'hello' })
    const { payment, ticket } = decodeReceiptHeader(response.headers.get('peerhost-receipt') ?? '')
    expect(payment?.payTo).not.toBe(developer.address)
    expect(ticket.payee).toBe(developer.address)
    expect(before.payer - (await network.balanceOf(payer.address))).toBe(6_000n)
    await eventually(
      'the release',
      async () => ((await held(developer.address)) === before.owner + 6_000n ? true : undefined),
      endsWithinMs,
    )
  })

  test('gets the price back when the function fails', async () => {
    const { payer, developer } = network.devnet.accounts
    const before = { payer: await held(payer.address), owner: await held(developer.address) }
    const response = await createFetch()(network.url('paid-escrow-fails'))
    expect(response.status).toBe(503)
    await eventually(
      'the refund',
      async () => ((await held(payer.address)) === before.payer + 7_000n ? true : undefined),
      endsWithinMs,
    )
    expect(await held(developer.address)).toBe(before.owner)
  })
})

test('the SDK recomputes the deposit address before it signs', async () => {
  const answer = await invoke(network.payer, {
    url: network.url('paid-escrow'),
    method: 'POST',
    body: 'x',
    maxPrice: '0.01',
  })
  expect(answer.status).toBe(200)
})

test('an escrow payment is bound to its body: another one is refused, and nothing is charged', async () => {
  const { payer } = network.devnet.accounts
  const headers = await network.signPayment(network.url('paid-escrow'))
  const before = await network.balanceOf(payer.address)
  const swapped = await fetch(network.url('paid-escrow'), { method: 'POST', headers, body: 'another' })
  expect([402, 409]).toContain(swapped.status)
  expect(await network.balanceOf(payer.address)).toBe(before)
})
