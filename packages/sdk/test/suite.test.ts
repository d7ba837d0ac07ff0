import { depositAddress, hashEscrowTerms, hashInput, seal } from '@peerhost/protocol'
import {
  bondFunction,
  type Connection,
  connect,
  getEscrow,
  getPrice,
  quote,
  relayAction,
  setPrice,
  signRelayedAction,
  unbondFunction,
} from '@peerhost/sdk'
import type { PaymentRequirements } from '@x402/core/types'
import { type Address, type Hex, zeroAddress } from 'viem'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from './testGateway.ts'
import { startTestNetwork, type TestNetwork } from './testNetwork.ts'

let network: TestNetwork
let gateway: TestGateway
let payer: Connection
let developer: Connection
let inEscrow: Hex

beforeAll(async () => {
  network = await startTestNetwork()
  gateway = await startTestGateway(network)
  const of = (account: 'payer' | 'developer') =>
    connect({ gatewayUrl: gateway.url, account: network.accounts[account], pollingIntervalMs: 50 })
  payer = await of('payer')
  developer = await of('developer')
  inEscrow = await network.publish('held', 1_000n, { paymentMode: 'escrow' })
})
afterAll(async () => {
  await gateway?.stop()
  await network?.stop()
})
afterEach(() => {
  gateway.state.challenge = (accepts) => accepts
})

const salt: Hex = `0x${'5a'.repeat(32)}`
const stranger: Address = '0x00000000000000000000000000000000000000aa'

/** An offer of an escrow for the call that was just made; `change` makes it a lie, told with its own right address. */
function offerOf(
  entry: PaymentRequirements,
  { terms: changedTerms = {}, payTo, ...change }: Record<string, unknown> & { terms?: object; payTo?: string } = {},
): PaymentRequirements {
  const { addresses, accounts, domain } = network
  const terms = {
    requester: accounts.gateway.address,
    functionId: inEscrow,
    functionVersion: 1,
    inputSeal: seal(hashInput(gateway.state.lastRequest), salt),
    payee: accounts.developer.address,
    price: 1_000n,
    deadline: Math.floor(Date.now() / 1_000) + 120,
    nonce: `0x${'0e'.repeat(32)}` as Hex,
    ...changedTerms,
  }
  const deposit = depositAddress(addresses.escrow, hashEscrowTerms(domain, terms))
  const escrow = {
    contract: addresses.escrow,
    coordinator: addresses.coordinator,
    terms: { ...terms, price: terms.price.toString() },
    salt,
    ...change,
  }
  return { ...entry, payTo: payTo ?? deposit, extra: { ...entry.extra, paymentFlow: 'upfront', escrow } }
}

const ask = () => quote(payer, { functionId: inEscrow, path: '/a', query: { b: 1 }, json: { c: 2 } })

describe('an offer of an escrow', () => {
  test('is quoted with what the payment is bound to', async () => {
    gateway.state.challenge = (accepts) => accepts.map((entry) => offerOf(entry))
    const { escrow, payTo, price } = await ask()
    expect(price).toBe(1_000n)
    expect(escrow?.deposit).toBe(payTo)
    expect(escrow?.terms.functionId).toBe(inEscrow)
    const held = await getEscrow(payer, { quoteId: escrow?.quoteId ?? '0x' })
    expect(held).toMatchObject({ status: 'none', payer: zeroAddress })
  })

  test.each<[string, Parameters<typeof offerOf>[1], string]>([
    ['another payee', { terms: { payee: stranger } }, 'payee_changed'],
    ['another price', { terms: { price: 1n } }, 'price_drift'],
    ['another function', { terms: { functionId: `0x${'99'.repeat(32)}` } }, 'payment_invalid'],
    ['another version', { terms: { functionVersion: 2 } }, 'payment_invalid'],
    ['another requester', { terms: { requester: stranger } }, 'payment_invalid'],
    ['a swapped body', { terms: { inputSeal: `0x${'99'.repeat(32)}` } }, 'payment_invalid'],
    ['a salt that opens nothing', { salt: `0x${'99'.repeat(32)}` }, 'payment_invalid'],
    ['a deadline that is over', { terms: { deadline: 1 } }, 'payment_invalid'],
    ['a deadline that never comes', { terms: { deadline: 4_000_000_000 } }, 'payment_invalid'],
    ['another escrow contract', { contract: stranger }, 'payment_invalid'],
    ['another coordinator', { coordinator: stranger }, 'payment_invalid'],
    ['an address that does not follow from the terms', { payTo: stranger }, 'payment_invalid'],
    ['a salt that is none', { salt: 'none' }, 'payment_invalid'],
  ])('with %s is refused before anything is signed', async (_, change, code) => {
    gateway.state.challenge = (accepts) => accepts.map((entry) => offerOf(entry, change))
    await expect(ask()).rejects.toMatchObject({ code })
  })

  test('is not replaced by a payment straight to the payee', async () => {
    await expect(ask()).rejects.toMatchObject({ code: 'payment_invalid' })
  })
})

describe('relayed actions', () => {
  test('an owner changes a price without sending a transaction, once per signature', async () => {
    const { priced } = network.functions
    const before = await network.publicClient.getTransactionCount({ address: network.accounts.developer.address })
    const signed = await signRelayedAction(developer, {
      contract: 'functions',
      functionName: 'setPrice',
      args: [priced, 2_000n, zeroAddress, 1],
    })
    await relayAction(payer, { signed })
    expect((await getPrice(payer, { functionId: priced })).price).toBe(2_000n)
    const after = await network.publicClient.getTransactionCount({ address: network.accounts.developer.address })
    expect(after).toBe(before)
    await expect(relayAction(payer, { signed })).rejects.toMatchObject({ code: 'conflict' })
    const forged = { ...signed, account: network.accounts.payer.address }
    await expect(relayAction(payer, { signed: forged })).rejects.toMatchObject({ code: 'conflict' })
    const unknown = { contract: 'functions', functionName: 'setEverything', args: [] } as const
    await expect(signRelayedAction(developer, unknown)).rejects.toMatchObject({ code: 'request_invalid' })
    await setPrice(developer, { functionId: priced, price: '0.001' })
  })
})

describe('an owner’s bond', () => {
  test('is brought up to what makes a function judgeable, once, and leaves again', async () => {
    const functionId = network.functions.free
    await expect(bondFunction(payer, { functionId })).rejects.toMatchObject({ code: 'conflict' })
    const bonded = await bondFunction(developer, { functionId })
    expect(bonded.bond).toBeGreaterThan(0n)
    expect((await bondFunction(developer, { functionId })).transactions).toEqual([])
    const leaving = await unbondFunction(developer, { functionId })
    expect(leaving).toMatchObject({ step: 'unbonding', amount: bonded.bond })
    expect(leaving.withdrawableAtSeconds).toBeGreaterThan(Date.now() / 1_000)
    await expect(unbondFunction(developer, { functionId })).rejects.toMatchObject({ code: 'conflict' })
  })
})
