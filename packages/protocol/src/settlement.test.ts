import { describe, expect, test } from 'vitest'
import { hashAttestation } from './attestation.ts'
import { rollRoot } from './batchRoll.ts'
import { commitment, hashCommitSet } from './commitment.ts'
import { type ExecutedRequest, planSettlement, rollsOf, withRolls } from './settlement.ts'
import { requestId, type Ticket } from './ticket.ts'

const domain = { chainId: 31_337, coordinator: '0x00000000000000000000000000000000000000C0' } as const
const word = (byte: number) => `0x${byte.toString(16).padStart(64, '0')}` as const
const account = (byte: number) => `0x${byte.toString(16).padStart(40, '0')}` as const

const executed = (sequence: number, functionByte: number, workers: readonly number[], funder = 7): ExecutedRequest => {
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
    quorum: workers.length,
    lane: 1,
    fee: 100n,
    issuedAt: 10,
    deadline: 20,
    payer: account(0),
    payee: account(0),
    price: 0n,
    quoteId: word(0),
    funder: account(funder),
  }
  const id = requestId(domain, ticket)
  const attestation = { protocolVersion: 1, requestId: id, resultSeal: word(50), outcome: 1, status: 200, seat: 1 }
  const attestations = workers.map((worker) => ({
    attestation,
    signature: `0xbb${sequence}0` as const,
    executionKey: account(worker),
    ...(workers.length > 1 && { commitmentSalt: word(worker) }),
  }))
  const request: ExecutedRequest = { ticket, ticketSignature: `0xaa${sequence}0`, attestations }
  if (workers.length === 1) return request
  const own = workers.map((worker) => commitment(id, account(worker), word(50), word(worker)))
  // Somebody who did not open committed first, and the workers in another order than they attested.
  return { ...request, commitSet: { commitments: [word(77), ...own.reverse()], signature: `0xcc${sequence}0` } }
}

// Two functions, two workers, interleaved: the batch groups by function and keeps the order within a group.
const requests = [executed(1, 1, [10]), executed(2, 2, [11]), executed(3, 1, [11]), executed(4, 2, [10])]

describe('planSettlement', () => {
  const plan = planSettlement(domain, requests)

  test('says shared terms once per group', () => {
    expect(plan.batch.groups.map((group) => [group.functionId, group.items.map((item) => item.sequence)])).toEqual([
      [word(1), [1n, 3n]],
      [word(2), [2n, 4n]],
    ])
  })

  test('puts groups of one funder side by side', () => {
    const mixed = [executed(1, 1, [10], 7), executed(2, 2, [10], 8), executed(3, 3, [10], 7)]
    const { groups } = planSettlement(domain, mixed).batch
    expect(groups.map(({ funder }) => funder)).toEqual([account(7), account(7), account(8)])
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
    const own = [requests[0], requests[3]].map((request) =>
      hashAttestation(domain, request!.attestations[0]!.attestation),
    )
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

describe('planSettlement of quorums', () => {
  const request = executed(1, 1, [10, 11, 12])
  const plan = planSettlement(domain, [executed(2, 1, [11]), request])

  test('names the workers in the order of their commitments', () => {
    expect(plan.batch.groups[1]?.items[0]).toMatchObject({
      seatings: [
        { worker: 1, seat: 1, commitmentSalt: word(12) },
        { worker: 0, seat: 1, commitmentSalt: word(11) },
        { worker: 2, seat: 1, commitmentSalt: word(10) },
      ],
      commitSet: [word(77), 'own', 'own', 'own'],
    })
  })

  test('single signatures are ticket, commit set, then each attestation', () => {
    expect(plan.batch.signatures).toEqual(['0xaa20', '0xbb20', '0xaa10', '0xcc10', '0xbb10', '0xbb10', '0xbb10'])
  })

  test('the requester’s roll chains the commit set after its request', () => {
    const [other, id] = plan.ids as [`0x${string}`, `0x${string}`]
    const set = hashCommitSet(domain, {
      protocolVersion: 1,
      requestId: id,
      commitments: request.commitSet?.commitments ?? [],
    })
    expect(rollsOf(domain, plan).requester).toEqual({ count: 3, root: rollRoot([other, id, set]) })
    expect(rollsOf(domain, plan).workers.map(({ count }) => count)).toEqual([2, 1, 1])
  })

  test('takes as many attestations as the quorum and no fewer', () => {
    const [first] = request.attestations
    const more = { ...request, attestations: [...request.attestations, { ...first!, executionKey: account(13) }] }
    expect(planSettlement(domain, [more]).batch).toEqual(planSettlement(domain, [request]).batch)
    const fewer = { ...request, attestations: request.attestations.slice(0, 2) }
    expect(() => planSettlement(domain, [fewer])).toThrowError('as many attestations')
    const { commitSet: _, ...without } = request
    expect(() => planSettlement(domain, [without])).toThrowError('commit set')
  })
})
