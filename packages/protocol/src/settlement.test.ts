import { describe, expect, test } from 'vitest'
import { hashAttestation } from './attestation.ts'
import { rollRoot } from './batchRoll.ts'
import { type ExecutedRequest, planSettlement, rollsOf, withRolls } from './settlement.ts'
import type { Ticket } from './ticket.ts'

const domain = { chainId: 31_337, coordinator: '0x00000000000000000000000000000000000000C0' } as const
const word = (byte: number) => `0x${byte.toString(16).padStart(64, '0')}` as const
const account = (byte: number) => `0x${byte.toString(16).padStart(40, '0')}` as const

const executed = (sequence: number, functionByte: number, worker: number): ExecutedRequest => {
  const ticket: Ticket = {
    protocolVersion: 1,
    functionId: word(functionByte),
    functionVersion: 1,
    envVersion: 0,
    runtimeDigest: word(9),
    inputSeal: word(100 + sequence),
    requester: account(1),
    epoch: 0,
    sequence: BigInt(sequence),
    quorum: 1,
    lane: 1,
    fee: 100n,
    issuedAt: 10,
    deadline: 20,
    payer: account(0),
    payee: account(0),
    price: 0n,
    quoteId: word(0),
    funder: account(7),
  }
  const attestation = {
    protocolVersion: 1,
    requestId: word(200 + sequence),
    resultSeal: word(50),
    outcome: 1,
    status: 200,
    seat: 1,
  }
  return {
    ticket,
    ticketSignature: `0xaa${sequence}0`,
    attestation,
    attestationSignature: `0xbb${sequence}0`,
    executionKey: account(worker),
  }
}

// Two functions, two workers, interleaved: the batch groups by function and keeps the order within a group.
const requests = [executed(1, 1, 10), executed(2, 2, 11), executed(3, 1, 11), executed(4, 2, 10)]

describe('planSettlement', () => {
  const plan = planSettlement(domain, requests)

  test('says shared terms once per group', () => {
    expect(plan.batch.groups.map((group) => [group.functionId, group.items.map((item) => item.sequence)])).toEqual([
      [word(1), [1n, 3n]],
      [word(2), [2n, 4n]],
    ])
  })

  test('gives order and signatures in batch order', () => {
    expect(plan.order.map((request) => request.ticket.sequence)).toEqual([1n, 3n, 2n, 4n])
    expect(plan.batch.signatures).toEqual([
      '0xaa10',
      '0xbb10',
      '0xaa30',
      '0xbb30',
      '0xaa20',
      '0xbb20',
      '0xaa40',
      '0xbb40',
    ])
  })

  test('refuses tickets of two requesters', () => {
    const [first, second] = requests as [ExecutedRequest, ExecutedRequest]
    expect(() =>
      planSettlement(domain, [first, { ...second, ticket: { ...second.ticket, requester: account(2) } }]),
    ).toThrowError('one requester')
    expect(() => planSettlement(domain, [])).toThrowError('at least one')
  })

  test('rolls chain each signer’s own digests in batch order', () => {
    const rolls = rollsOf(domain, plan)
    expect(rolls.requester).toEqual({ count: 4, root: rollRoot(plan.ids) })
    const own = [requests[0], requests[3]].map((request) => hashAttestation(domain, request!.attestation))
    expect(rolls.workers[0]).toEqual({ executionKey: account(10), count: 2, root: rollRoot(own) })
  })

  test('a roll replaces its signer’s single signatures and nobody else’s', () => {
    const rolled = withRolls(plan, { requester: '0xcc', workers: new Map([[account(10), '0xdd']]) })
    expect(rolled.batch.workers).toEqual([
      { executionKey: account(10), roll: '0xdd' },
      { executionKey: account(11), roll: '0x' },
    ])
    expect(rolled.batch.signatures).toEqual(['0xbb30', '0xbb20'])
    expect(withRolls(plan, { workers: new Map() }).batch).toEqual(plan.batch)
  })
})
