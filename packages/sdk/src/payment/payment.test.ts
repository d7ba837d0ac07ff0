import fc from 'fast-check'
import { getAddress } from 'viem'
import { describe, expect, test } from 'vitest'
import type { Call } from '../call.ts'
import { paymentRequiredOf, signableRequirements } from './paymentRequired.ts'
import { callOf, type PendingPayment, pendingPaymentFor, pendingPaymentFromJson } from './pendingPayment.ts'

const token = { address: '0x036CbD53842c5426634e7929541eC2318f3dCF7e', name: 'USDC', version: '2' }
const network = { chainId: 84_532, token }
const entry = {
  scheme: 'exact',
  network: 'eip155:84532' as const,
  asset: token.address,
  amount: '1000',
  payTo: '0x00000000000000000000000000000000000000AA',
  maxTimeoutSeconds: 300,
  extra: { name: 'USDC', version: '2' },
}
const resource = { url: 'http://localhost' }

describe('paymentRequiredOf', () => {
  test('reads version 2 of the challenge, and nothing else', () => {
    const read = (value: unknown) => paymentRequiredOf(new Headers({ 'payment-required': btoa(JSON.stringify(value)) }))
    expect(read({ x402Version: 2, resource, accepts: [entry] }).accepts).toEqual([entry])
    const invalid = expect.objectContaining({ code: 'payment_invalid' })
    for (const value of [{ x402Version: 1, accepts: [entry] }, { x402Version: 2, resource }, null, [], 'text', 7]) {
      expect(() => read(value), JSON.stringify(value)).toThrow(invalid)
    }
    expect(() => paymentRequiredOf(new Headers())).toThrow(invalid)
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'abcXYZ019+/=') }), (header) => {
        expect(() => paymentRequiredOf(new Headers({ 'payment-required': header }))).toThrow(invalid)
      }),
    )
  })
})

describe('signableRequirements', () => {
  test('keeps only what this network can pay, whatever a server puts in the list', () => {
    const signable = (accepts: unknown[]) =>
      signableRequirements({ x402Version: 2, resource, accepts: accepts as (typeof entry)[] }, network)
    expect(signable([entry, { ...entry, extra: { ...entry.extra, paymentFlow: 'upfront' } }])).toHaveLength(2)
    expect(signable([{ ...entry, extra: { ...entry.extra, paymentFlow: 'escrow' } }])).toEqual([])
    expect(
      signable([
        { ...entry, amount: '1.5' },
        { ...entry, amount: 1_000 },
        { ...entry, amount: '0x10' },
      ]),
    ).toEqual([])
    fc.assert(
      fc.property(fc.array(fc.anything(), { maxLength: 5 }), (accepts) => {
        expect(signable(accepts)).toEqual([])
      }),
    )
  })
})

describe('a pending payment', () => {
  const authorization: PendingPayment['authorization'] = {
    network: 'eip155:84532',
    asset: getAddress(token.address),
    payer: getAddress('0x00000000000000000000000000000000000000bb'),
    payTo: getAddress(entry.payTo),
    amount: '1000',
    nonce: `0x${'1'.repeat(64)}`,
    validBeforeSeconds: 1_900_000_000,
  }

  test('brings back exactly the request it was signed for, through JSON', () => {
    fc.assert(
      fc.property(
        fc.option(fc.uint8Array(), { nil: undefined }),
        fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 3 }),
        (body, headers) => {
          const call: Call = { url: 'http://localhost/f?a=b', method: 'POST', headers, body, functionId: undefined }
          const pending = pendingPaymentFor(call, 'signature', authorization)
          const again = pendingPaymentFromJson(JSON.parse(JSON.stringify(pending)))
          expect(again).toEqual(pending)
          expect(callOf(again)).toEqual(call)
        },
      ),
    )
  })

  test('is refused when it is anything else', () => {
    const call: Call = { url: 'http://localhost/f', method: 'GET', headers: [], body: undefined, functionId: undefined }
    const pending = pendingPaymentFor(call, 'signature', authorization)
    const changes = [{ v: 2 }, { url: 'file:///x' }, { method: 'get' }, { authorization: {} }, { paymentSignature: 1 }]
    for (const change of [...changes, null]) {
      expect(() => pendingPaymentFromJson(change && { ...pending, ...change }), JSON.stringify(change)).toThrow(
        expect.objectContaining({ code: 'payment_invalid' }),
      )
    }
  })
})
