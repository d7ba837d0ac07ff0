import fc from 'fast-check'
import { bytesToHex, concatHex, type Hex, keccak256, pad, toHex } from 'viem'
import { describe, expect, test } from 'vitest'
import { decodeSettlement, encodeSettlement } from './packedBatch.ts'
import type { SettlementBatch, SettlementGroup, SettlementItem } from './settlement.ts'

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((value): Hex => (length === 0 ? '0x' : bytesToHex(value)))
const fixed = (byte: string, length: number): Hex => `0x${byte.repeat(length)}`
const uint = (width: number) => fc.bigInt({ min: 0n, max: 2n ** BigInt(8 * width) - 1n })
const number = (width: number) => fc.integer({ min: 0, max: 2 ** Math.min(8 * width, 48) - 1 })
const signature = fc.uint8Array({ maxLength: 130 }).map((value): Hex => (value.length === 0 ? '0x' : bytesToHex(value)))

const item = (quorum: number): fc.Arbitrary<SettlementItem> =>
  fc
    .record({
      inputSeal: bytes(32),
      resultSeal: bytes(32),
      quoteId: bytes(32),
      payer: bytes(20),
      sequence: uint(8),
      issuedAt: number(5),
      lifetime: number(4),
      outcome: number(1),
      status: number(2),
      seatings: fc.array(
        quorum === 1
          ? fc.record({ worker: number(1), seat: number(1) })
          : fc.record({ worker: number(1), seat: number(1), commitmentSalt: bytes(32) }),
        { minLength: quorum, maxLength: quorum },
      ),
      ...(quorum !== 1 && {
        commitSet: fc.array(fc.oneof(fc.constant('own' as const), bytes(32)), { maxLength: 16 }),
      }),
    })
    .map(({ lifetime, ...rest }) => ({ ...rest, deadline: rest.issuedAt + lifetime }))

const group: fc.Arbitrary<SettlementGroup> = fc.integer({ min: 0, max: 4 }).chain((quorum) =>
  fc.record({
    functionId: bytes(32),
    // Few of each, so that groups have something in common with the one before.
    runtimeDigest: fc.constantFrom(fixed('d1', 32), fixed('d2', 32), fixed('00', 32)),
    functionVersion: number(4),
    envVersion: number(4),
    epoch: number(4),
    quorum: fc.constant(quorum),
    lane: number(1),
    fee: uint(12),
    funder: fc.constantFrom(fixed('c1', 20), fixed('c2', 20), fixed('00', 20)),
    payee: fc.constantFrom(fixed('c1', 20), fixed('c2', 20), fixed('00', 20)),
    price: uint(16),
    items: fc.array(item(quorum), { maxLength: 4 }),
  }),
)

const batch: fc.Arbitrary<SettlementBatch> = fc.record({
  requester: bytes(20),
  requesterRoll: signature,
  workers: fc.array(fc.record({ executionKey: bytes(20), roll: signature }), { maxLength: 5 }),
  groups: fc.array(group, { maxLength: 4 }),
  signatures: fc.array(signature, { maxLength: 5 }),
})

describe('encodeSettlement', () => {
  test('what was encoded is decoded to the same', () => {
    fc.assert(
      fc.property(batch, (value) => {
        expect(decodeSettlement(encodeSettlement(value))).toEqual(value)
      }),
    )
  })

  test('a batch has one spelling: its bytes come back', () => {
    fc.assert(
      fc.property(batch, (value) => {
        const encoded = encodeSettlement(value)
        expect(encodeSettlement(decodeSettlement(encoded))).toBe(encoded)
      }),
    )
  })

  test('decodes no part of a batch that has signatures, and nothing of another version', () => {
    fc.assert(
      fc.property(batch, (value) => {
        const encoded = encodeSettlement({ ...value, signatures: ['0x1234'] })
        expect(() => decodeSettlement(encoded.slice(0, -2) as Hex)).toThrowError('ends too early')
        expect(() => decodeSettlement(`0x02${encoded.slice(4)}`)).toThrowError('unknown version')
      }),
    )
  })

  test('refuses what its fields cannot hold', () => {
    const seating = { worker: 0, seat: 1 }
    const impossible = {
      requester: pad('0x1', { size: 20 }),
      requesterRoll: '0x' as const,
      workers: [],
      signatures: [],
    }
    const terms = { functionVersion: 1, envVersion: 0, epoch: 0, quorum: 1, lane: 1, fee: 0n, price: 0n }
    const seals = {
      inputSeal: toHex(0, { size: 32 }),
      resultSeal: toHex(0, { size: 32 }),
      quoteId: toHex(0, { size: 32 }),
    }
    const account = pad('0x2', { size: 20 })
    const items = [
      {
        ...seals,
        payer: account,
        sequence: 0n,
        issuedAt: 10,
        deadline: 9,
        outcome: 1,
        status: 200,
        seatings: [seating],
      },
    ]
    const only = {
      ...terms,
      functionId: seals.quoteId,
      runtimeDigest: seals.quoteId,
      funder: account,
      payee: account,
      items,
    }
    expect(() => encodeSettlement({ ...impossible, groups: [only] })).toThrowError()
  })

  test('is what one would write by hand', () => {
    const fill = (byte: string, length: number): Hex => `0x${byte.repeat(length)}`
    const encoded = encodeSettlement({
      requester: fill('a1', 20),
      requesterRoll: '0xbeef',
      workers: [{ executionKey: fill('b1', 20), roll: '0x' }],
      groups: [
        {
          functionId: fill('f1', 32),
          runtimeDigest: fill('d1', 32),
          functionVersion: 3,
          envVersion: 2,
          epoch: 7,
          quorum: 1,
          lane: 1,
          fee: 100n,
          funder: fill('c1', 20),
          payee: fill('c2', 20),
          price: 1_000n,
          items: [
            {
              inputSeal: fill('e1', 32),
              resultSeal: fill('e2', 32),
              quoteId: fill('e3', 32),
              payer: fill('c3', 20),
              sequence: 42n,
              issuedAt: 1_800_000_000,
              deadline: 1_800_000_060,
              outcome: 1,
              status: 200,
              seatings: [{ worker: 0, seat: 1 }],
            },
          ],
        },
      ],
      signatures: ['0x5161'],
    })
    const byHand = concatHex([
      '0x01',
      fill('a1', 20),
      '0x0101',
      '0x0002beef',
      fill('b1', 20),
      '0x0000',
      '0x0001',
      fill('f1', 32),
      fill('d1', 32),
      '0x000000030000000200000007',
      '0x0101',
      '0x000000000000000000000064',
      fill('c1', 20),
      fill('c2', 20),
      '0x000000000000000000000000000003e8',
      fill('e1', 32),
      fill('e2', 32),
      fill('e3', 32),
      fill('c3', 20),
      '0x000000000000002a',
      '0x006b49d200',
      '0x0000003c',
      '0x0100c8',
      '0x0100',
      '0x00025161',
    ])
    expect(encoded).toBe(byHand)
    expect(keccak256(encoded)).toBe(keccak256(byHand))
  })
})
