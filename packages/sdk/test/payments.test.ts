import {
  type Connection,
  connect,
  invoke,
  isPaidCallError,
  type PaidCallError,
  quote,
  resume,
  setPrice,
} from '@peerhost/sdk'
import type { PaymentRequirements } from '@x402/core/types'
import { type Address, createWalletClient, custom, http } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './testGateway.ts'
import { startTestNetwork, type TestNetwork } from './testNetwork.ts'

let network: TestNetwork
let gateway: TestGateway
let connection: Connection

beforeAll(async () => {
  network = await startTestNetwork()
  gateway = await startTestGateway(network)
  connection = await connect({ gatewayUrl: gateway.url, account: network.accounts.payer, pollingIntervalMs: 50 })
})
afterAll(async () => {
  await gateway?.stop()
  await network?.stop()
})
afterEach(() => {
  gateway.state.faults = []
  gateway.state.challenge = (accepts) => accepts
})

const paidCall = (more: Partial<Parameters<typeof invoke>[1]> = {}) =>
  invoke(connection, { functionId: network.functions.priced, maxPrice: '0.001', ...more })

/** Runs something and gives what was signed, run and paid meanwhile. */
async function during(action: () => Promise<unknown>) {
  const { runs, signatures } = gateway.state
  const signedBefore = signatures.length
  const balance = await network.balanceOf(network.accounts.payer.address)
  const outcome = await action().then(
    (value) => ({ value, error: undefined }),
    (error: unknown) => ({ value: undefined, error }),
  )
  return {
    ...outcome,
    runs: gateway.state.runs - runs,
    sent: signatures.length - signedBefore,
    signatures: new Set(signatures.slice(signedBefore)).size,
    paid: balance - (await network.balanceOf(network.accounts.payer.address)),
  }
}

describe('one call signs at most once', () => {
  for (const fault of ['drop-before-work', 'drop-after-work', 'unavailable', 'in-progress'] as const) {
    test(`${fault}: asks again with the same signature and pays once`, async () => {
      gateway.state.faults = [fault, fault]
      const { value, ...rest } = await during(paidCall)
      expect(value).toMatchObject({ status: 200, payment: { outcome: 'paid', amount: 1_000n } })
      expect(rest).toMatchObject({ sent: 3, signatures: 1, runs: 1, paid: 1_000n })
    })
  }

  test('gives up with what is needed to ask again, and resume gets the answer without a second payment', async () => {
    gateway.state.faults = ['drop-after-work', 'drop-after-work']
    const { error, ...rest } = await during(() => paidCall({ maxAttempts: 2 }))
    expect(error).toMatchObject({ code: 'payment_settlement_unknown', paymentOutcome: 'paid' })
    expect(rest).toMatchObject({ sent: 2, signatures: 1, runs: 1, paid: 1_000n })
    if (!isPaidCallError(error)) throw new Error('The error carries no payment.')
    const { pendingPayment } = JSON.parse(JSON.stringify({ pendingPayment: error.pendingPayment })) as PaidCallError
    const resumed = await during(() => resume(connection, { pendingPayment }))
    expect(resumed).toMatchObject({ sent: 1, runs: 0, paid: 0n, value: { status: 200, payment: { outcome: 'paid' } } })
  })

  test('does not call an unused authorization unpaid while it can still be collected', async () => {
    gateway.state.faults = ['unavailable', 'unavailable']
    const { error, paid } = await during(() => paidCall({ maxAttempts: 2 }))
    expect(error).toMatchObject({ code: 'payment_settlement_unknown', paymentOutcome: 'unknown' })
    expect(paid).toBe(0n)
  })

  test('an abort after signing leaves the payment in the hands of the caller', async () => {
    const controller = new AbortController()
    gateway.state.faults = ['unavailable', 'unavailable', 'unavailable', 'unavailable']
    const { error } = await during(() =>
      paidCall({ signal: controller.signal, onSigned: () => setTimeout(() => controller.abort(), 100) as never }),
    )
    expect(error).toMatchObject({ code: 'payment_settlement_unknown', paymentOutcome: 'unknown' })
    expect(isPaidCallError(error)).toBe(true)
  })

  test('an abort before signing signs nothing', async () => {
    const controller = new AbortController()
    const { error, sent } = await during(() =>
      paidCall({ signal: controller.signal, authorize: () => controller.abort() }),
    )
    expect(error).toMatchObject({ name: 'AbortError' })
    expect(sent).toBe(0)
  })
})

describe('what is not delivered is not paid', () => {
  test('a refused payment is an error with the reason, and no second try', async () => {
    gateway.state.faults = ['refuse']
    const { error, ...rest } = await during(paidCall)
    expect(error).toMatchObject({
      code: 'payment_rejected',
      paymentOutcome: 'not-paid',
      details: ['Status: 402', 'Reason: insufficient_funds'],
    })
    expect(rest).toMatchObject({ sent: 1, paid: 0n })
  })

  for (const fail of ['throw', '503']) {
    test(`?fail=${fail}: the function's own failure is its answer, and costs nothing`, async () => {
      const { value, ...rest } = await during(() => paidCall({ query: { fail } }))
      expect(value).toMatchObject({ status: fail === 'throw' ? 500 : 503, payment: { outcome: 'not-paid' } })
      expect(rest).toMatchObject({ sent: 1, runs: 1, paid: 0n })
    })
  }

  test('an account without tokens learns it from the gateway', async () => {
    const poor = await connect({ gatewayUrl: gateway.url, account: network.accounts.gateway })
    await network.send(network.accounts.gateway, network.addresses.token, transferAbi, 'transfer', [
      network.accounts.payer.address,
      await network.balanceOf(network.accounts.gateway.address),
    ])
    await expect(invoke(poor, { functionId: network.functions.priced, maxPrice: '0.001' })).rejects.toMatchObject({
      code: 'payment_rejected',
      paymentOutcome: 'not-paid',
    })
  })
})

describe('a wallet outside of this process', () => {
  test('signs the payment and sends the transactions', async () => {
    // The node holds the devnet's keys and signs for them, as a browser's wallet does.
    const walletOf = (account: Address) =>
      connect({
        gatewayUrl: gateway.url,
        walletClient: createWalletClient({ account, transport: http(network.chain.rpcUrl) }),
        pollingIntervalMs: 50,
      })
    const { payer, developer } = network.accounts
    const wallet = await walletOf(payer.address)
    const { value, paid } = await during(() =>
      invoke(wallet, { functionId: network.functions.priced, maxPrice: '0.001' }),
    )
    expect(value).toMatchObject({ status: 200, payment: { outcome: 'paid', payer: payer.address } })
    expect(paid).toBe(1_000n)
    const functionId = await network.publish('by-wallet', 0n)
    const changed = await setPrice(await walletOf(developer.address), {
      functionId,
      price: '1',
      paymentMode: 'upfront',
    })
    expect(changed).toMatchObject({ price: 1_000_000n, paymentMode: 'upfront' })
  })

  test('that refuses to sign costs nothing', async () => {
    const { address } = network.accounts.payer
    const provider = {
      request: async () => {
        throw Object.assign(new Error('User rejected the request.'), { code: 4001 })
      },
    }
    const walletClient = createWalletClient({ account: address, transport: custom(provider) })
    const wallet = await connect({ gatewayUrl: gateway.url, walletClient })
    const { error, sent } = await during(() =>
      invoke(wallet, { functionId: network.functions.priced, maxPrice: '0.001' }),
    )
    expect(error).toMatchObject({ code: 'payment_invalid', hint: expect.stringContaining('wallet') })
    expect(isPaidCallError(error)).toBe(false)
    expect(sent).toBe(0)
    await expect(setPrice(wallet, { functionId: network.functions.priced, price: '1' })).rejects.toMatchObject({
      name: 'PeerHostError',
    })
  })
})

describe('signs only what chain and cap agree with', () => {
  const attacks: [string, string, (entry: PaymentRequirements) => Partial<PaymentRequirements>[]][] = [
    ['a higher price than the registry’s', 'price_drift', () => [{ amount: '1001' }]],
    ['a lower price than the registry’s', 'price_drift', () => [{ amount: '1' }]],
    ['another payee', 'payee_changed', () => [{ payTo: '0x00000000000000000000000000000000000000AA' }]],
    ['a second entry with another payee', 'payee_changed', (entry) => [entry, { payTo: `0x${'0'.repeat(38)}AA` }]],
    ['a second entry with another price', 'price_drift', (entry) => [entry, { amount: '999999' }]],
    ['another chain', 'payment_invalid', () => [{ network: 'eip155:8453' }]],
    ['another token', 'payment_invalid', () => [{ asset: '0x00000000000000000000000000000000000000AA' }]],
    ['another EIP-712 domain', 'payment_invalid', () => [{ extra: { name: 'Other', version: '2' } }]],
    [
      'a payment by Permit2',
      'payment_invalid',
      () => [{ extra: { name: 'USDC', version: '2', assetTransferMethod: 'permit2' } }],
    ],
    ['another scheme', 'payment_invalid', () => [{ scheme: 'upto' }]],
    ['an authorization that never lapses', 'payment_invalid', () => [{ maxTimeoutSeconds: 2_000_000_000 }]],
    ['an amount that is no amount', 'payment_invalid', () => [{ amount: '-1' }]],
    ['no way to pay at all', 'payment_invalid', () => []],
    ['an entry that is none', 'payment_invalid', () => [null as never]],
  ]
  for (const by of ['functionId', 'url'] as const) {
    test.each(attacks)(`refuses %s (by ${by})`, async (_, code, entries) => {
      gateway.state.challenge = ([entry]) =>
        entries(entry as PaymentRequirements).map(
          (change) => change && { ...(entry as PaymentRequirements), ...change },
        )
      const target =
        by === 'functionId'
          ? { functionId: network.functions.priced }
          : { url: `${gateway.url}/${network.accounts.developer.address}/weather/forecast`, functionId: undefined }
      const { error, sent, paid } = await during(() => paidCall({ maxPrice: '100', ...target }))
      expect(error).toMatchObject({ code, hint: expect.any(String) })
      expect({ sent, paid }).toEqual({ sent: 0, paid: 0n })
    })
  }

  test('takes the one entry it can sign out of many, wherever it stands', async () => {
    gateway.state.challenge = ([entry]) => [
      { ...(entry as PaymentRequirements), network: 'eip155:1', amount: '1' },
      { ...(entry as PaymentRequirements), scheme: 'upto', amount: '1' },
      entry as PaymentRequirements,
    ]
    const { value, paid } = await during(paidCall)
    expect(value).toMatchObject({ status: 200 })
    expect(paid).toBe(1_000n)
  })

  test('follows a price change on chain', async () => {
    const owner = await connect({
      gatewayUrl: gateway.url,
      account: network.accounts.developer,
      pollingIntervalMs: 50,
    })
    const functionId = await network.publish('moving', 1_000n)
    const changed = await setPrice(owner, { functionId, price: '0.25' })
    expect(changed).toMatchObject({ price: 250_000n, priceText: '0.25', paymentMode: 'after' })
    expect(await quote(connection, { functionId })).toMatchObject({ price: 250_000n })
    await expect(invoke(connection, { functionId, maxPrice: '0.2' })).rejects.toMatchObject({
      code: 'budget_exceeded',
    })
    await expect(setPrice(connection, { functionId, price: '0' })).rejects.toMatchObject({ code: 'conflict' })
  })
})

const transferAbi = [
  {
    type: 'function',
    name: 'transfer',
    stateMutability: 'nonpayable',
    inputs: [
      { name: 'to', type: 'address' },
      { name: 'value', type: 'uint256' },
    ],
    outputs: [{ name: '', type: 'bool' }],
  },
] as const
