import {
  createDigestSigner,
  pureSigning,
  requestId,
  type SettlementBatch,
  type Ticket,
  zeroBytes32,
} from '@peerhost/protocol'
import { pino } from 'pino'
import { type Address, type Hex, keccak256, stringToHex, zeroAddress } from 'viem'
import { generatePrivateKey } from 'viem/accounts'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../../test/until.ts'
import type { SettledEvent, SettlementOutcome } from '../chain/chain.ts'
import type { Database } from '../database/database.ts'
import { openPglite } from '../database/pglite.ts'
import type { OpenedAttestation, Recorded } from '../requests/request.ts'
import { findRequest, saveExecuted, setSettlement } from '../requests/requestTable.ts'
import { createCredit } from './credit.ts'
import { createSettlementQueue, type SettlementQueue } from './settlementQueue.ts'

const hash = (text: string): Hex => keccak256(stringToHex(text))
const domain = { chainId: 1, coordinator: '0x00000000000000000000000000000000000000C0' as Address }
const worker: Address = '0x00000000000000000000000000000000000000d0'
const funder: Address = '0x00000000000000000000000000000000000000F0'
const signer = createDigestSigner(generatePrivateKey())

/** The chain as the queue sees it: what it was sent, and what it says. */
type FakeChain = {
  batches: SettlementBatch[]
  consumed: Set<bigint>
  events: Map<Hex, SettledEvent>
  settle: (batch: SettlementBatch, ids: Hex[]) => Promise<SettlementOutcome> | SettlementOutcome
}

let database: Database
let queue: SettlementQueue
let chain: FakeChain
let told: { transaction: Hex; ids: Hex[] }[]

function start(): void {
  queue = createSettlementQueue({
    database,
    domain,
    requester: signer.address,
    signer,
    signing: pureSigning,
    links: () => [],
    rollTimeoutMs: 1,
    batchItems: 4,
    settlementGraceSeconds: 3_600,
    log: pino({ level: 'silent' }),
    credit: createCredit({
      chain: { availableCredit: async () => ({ available: 0n, maxFee: 0n }) },
      requester: signer.address,
    }),
    onSettled: (transaction, requests) => told.push({ transaction, ids: requests.map((one) => one.requestId) }),
    chain: {
      settle: async (batch) => {
        chain.batches.push(batch)
        const items = batch.groups.flatMap((group) => group.items.map(({ sequence }) => sequence))
        return chain.settle(
          batch,
          items.map((sequence) => idOf(sequence)),
        )
      },
      isConsumed: async (_, sequence) => chain.consumed.has(sequence),
      settledEvent: async (id) => chain.events.get(id),
    },
  })
}

const mined = (ids: Hex[], skipped: { requestId: Hex; reason: number }[] = []): SettlementOutcome => ({
  type: 'mined',
  transaction: hash('tx'),
  blockNumber: 7n,
  settled: ids
    .filter((id) => !skipped.some(({ requestId }) => requestId === id))
    .map((id, index) => ({ requestId: id, index })),
  skipped,
})

function ticket(sequence: bigint): Ticket {
  return {
    protocolVersion: 1,
    functionId: hash('f'),
    functionVersion: 1,
    envVersion: 0,
    runtimeDigest: hash('r'),
    inputSeal: hash('i'),
    requester: signer.address,
    epoch: 1,
    sequence,
    quorum: 1,
    lane: 1,
    fee: 100n,
    issuedAt: 1,
    deadline: 4_000_000_000,
    payer: zeroAddress,
    payee: zeroAddress,
    price: 0n,
    quoteId: zeroBytes32,
    funder,
  }
}
const idOf = (sequence: bigint): Hex => requestId(domain, ticket(sequence))

function attestation(requestId: Hex, by: Address = worker): OpenedAttestation {
  return {
    attestation: { protocolVersion: 1, requestId, resultSeal: hash('s'), outcome: 1, status: 200, seat: 1 },
    signature: '0x12',
    executionKey: by,
    operator: by,
  }
}

function executed(one: Ticket, more: Partial<Recorded> = {}): Recorded {
  const id = requestId(domain, one)
  return {
    requestId: id,
    ticket: one,
    ticketSignature: '0x34',
    salt: hash('salt'),
    input: new Uint8Array(),
    result: new Uint8Array(),
    attestations: [attestation(id)],
    paymentId: undefined,
    fromBlock: 1n,
    createdAtMs: 1,
    settlement: 'pending',
    ...more,
  }
}

async function add(...sequences: bigint[]): Promise<Hex[]> {
  for (const sequence of sequences) await saveExecuted(database, executed(ticket(sequence)))
  return sequences.map(idOf)
}

const settlementOf = async (id: Hex | undefined) => (await findRequest(database, id as Hex))?.settlement

beforeAll(async () => {
  database = await openPglite()
})
afterAll(async () => database.close())
beforeEach(async () => {
  await database.query('delete from requests')
  told = []
  chain = { batches: [], consumed: new Set(), events: new Map(), settle: (_, ids) => mined(ids) }
  start()
})
afterEach(async () => {
  await queue.close()
})

describe('batches', () => {
  test('one goes out at once; what comes while it is under way is gathered, up to the limit', async () => {
    const release = Promise.withResolvers<void>()
    chain.settle = async (_, ids) => {
      await release.promise
      return mined(ids)
    }
    await add(0n)
    queue.kick()
    await until(() => chain.batches.length === 1)
    await add(1n, 2n, 3n, 4n, 5n)
    queue.kick()
    release.resolve()
    await until(() => told.flatMap(({ ids }) => ids).length === 6)
    expect(chain.batches.map(({ groups }) => groups.flatMap(({ items }) => items).length)).toEqual([1, 4, 1])
  })

  test('several requests carry one signature of ours, a single one its own', async () => {
    await add(0n, 1n)
    queue.kick()
    await until(() => told.length === 1)
    expect(chain.batches[0]?.requesterRoll).toMatch(/^0x[0-9a-f]{130}$/)
    await add(2n)
    queue.kick()
    await until(() => told.length === 2)
    expect(chain.batches[1]?.requesterRoll).toBe('0x')
  })
})

describe('one bad item in a batch', () => {
  test.each([
    [1, 'SequenceConsumed, by nobody we know', 'failed'],
    [2, 'Expired', 'failed'],
    [3, 'NotYetValid', 'pending'],
    [5, 'RequesterSignature', 'pending'],
    [8, 'CreditExhausted', 'pending'],
    [10, 'ResourceOutcome', 'failed'],
    [12, 'TermsInvalid', 'failed'],
    [13, 'NotSeated', 'failed'],
    [15, 'SequenceAhead', 'pending'],
    [17, 'ConflictWindowOpen', 'pending'],
    [18, 'InDispute', 'pending'],
    [99, 'a reason of the future', 'pending'],
  ])('skip reason %d (%s) leaves it %s and the others settled', async (reason, _, state) => {
    const [good, bad] = await add(0n, 1n)
    chain.settle = (_batch, ids) =>
      mined(
        ids,
        ids.filter((id) => id === bad).map((id) => ({ requestId: id, reason })),
      )
    queue.kick()
    await until(async () => (await settlementOf(good)) === 'settled')
    await until(async () => (await settlementOf(bad)) === state)
  })

  test('a sequence that its worker settled by itself is settled', async () => {
    const [id] = await add(0n)
    chain.events.set(id as Hex, {
      requestId: id as Hex,
      operator: worker,
      resultSeal: hash('s'),
      outcome: 1,
      status: 200,
      transaction: hash('theirs'),
      blockNumber: 5n,
      index: 2,
    })
    chain.settle = (_, ids) =>
      mined(
        [],
        ids.map((one) => ({ requestId: one, reason: 1 })),
      )
    queue.kick()
    await until(async () => (await settlementOf(id)) === 'settled')
    expect((await findRequest(database, id as Hex))?.settled).toEqual({
      transaction: hash('theirs'),
      blockNumber: '5',
      index: 2,
    })
  })

  test('a roll that did not convince the contract is not sent again: single signatures decide', async () => {
    await add(0n, 1n)
    let isFirst = true
    chain.settle = (_, ids) => {
      const skipped = isFirst ? ids.map((id) => ({ requestId: id, reason: 5 })) : []
      isFirst = false
      return mined(ids, skipped)
    }
    queue.kick()
    await until(() => chain.batches.length === 2)
    expect(chain.batches[0]?.signatures).toHaveLength(2)
    expect(chain.batches[1]?.requesterRoll).toBe('0x')
    expect(chain.batches[1]?.signatures).toHaveLength(4)
  })

  test('a batch that reverts is tried again in halves, until the one is found', async () => {
    const ids = await add(0n, 1n, 2n, 3n)
    chain.settle = (batch, all) =>
      batch.groups.some(({ items }) => items.some(({ sequence }) => sequence === 2n))
        ? { type: 'reverted', reason: 'BatchMalformed' }
        : mined(all)
    queue.kick()
    await until(async () =>
      (await Promise.all([ids[0], ids[1], ids[3]].map(settlementOf))).every((state) => state === 'settled'),
    )
    expect(await settlementOf(ids[2])).toBe('pending')
  })
})

describe('quorums', () => {
  const agreed = (more: Partial<Recorded> = {}): Recorded => {
    const one = { ...ticket(0n), quorum: 3 }
    const id = requestId(domain, one)
    const keys = [worker, funder, signer.address] as const
    const attestations = keys.map((key, index) => ({ ...attestation(id, key), commitmentSalt: hash(`salt ${index}`) }))
    const commitSet = { commitments: keys.map((key) => hash(key)), signature: '0x56' as const }
    return executed(one, { attestations, commitSet, ...more })
  }

  test('an agreed quorum goes out with all attestations, salts and its commit set', async () => {
    const request = agreed()
    chain.settle = () => mined([request.requestId])
    await saveExecuted(database, request)
    queue.kick()
    await until(async () => (await settlementOf(request.requestId)) === 'settled')
    const stored = await findRequest(database, request.requestId)
    expect(stored?.attestations).toEqual(request.attestations)
    expect(stored?.commitSet).toEqual(request.commitSet)
    expect(chain.batches[0]?.workers).toHaveLength(3)
  })

  test('it waits until nobody can contradict it any more', async () => {
    const request = agreed({ settleAfterMs: Date.now() + 600 })
    chain.settle = () => mined([request.requestId])
    await saveExecuted(database, request)
    const start = Date.now()
    queue.kick()
    await until(async () => (await settlementOf(request.requestId)) === 'settled')
    expect(Date.now() - start).toBeGreaterThan(500)
  })

  test('with fewer attestations than its quorum it is not sent', async () => {
    const request = agreed()
    await saveExecuted(database, { ...request, attestations: request.attestations.slice(0, 2) })
    const [other] = await add(1n)
    queue.kick()
    await until(async () => (await settlementOf(other)) === 'settled')
    expect(await settlementOf(request.requestId)).toBe('pending')
  })

  test('what waits for a dispute is not given up, however often it is refused', async () => {
    const [id] = await add(0n)
    await database.query('update requests set settlement_attempts = 40')
    let refusals = 1
    chain.settle = (_, ids) => mined(ids, refusals-- > 0 ? ids.map((one) => ({ requestId: one, reason: 18 })) : [])
    queue.kick()
    await until(() => chain.batches.length === 1)
    await until(async () => (await settlementOf(id)) === 'pending')
    await database.query('update requests set settlement_next_ms = 0')
    queue.kick()
    await until(async () => (await settlementOf(id)) === 'settled')
  })
})

describe('after a crash', () => {
  test('what was being sent and is on chain is settled; what is not goes out again', async () => {
    const [done, lost] = await add(0n, 1n)
    await setSettlement(database, [done as Hex, lost as Hex], 'sending')
    chain.consumed.add(0n)
    chain.events.set(done as Hex, {
      requestId: done as Hex,
      operator: worker,
      resultSeal: hash('s'),
      outcome: 1,
      status: 200,
      transaction: hash('before'),
      blockNumber: 5n,
      index: 0,
    })
    await queue.recover()
    expect(await settlementOf(done)).toBe('settled')
    queue.kick()
    await until(async () => (await settlementOf(lost)) === 'settled')
    expect(chain.batches).toHaveLength(1)
  })

  test('a chain that does not answer is asked again, as long as it takes', async () => {
    const [id] = await add(0n)
    let failures = 3
    chain.settle = (_, ids) => {
      if (failures-- > 0) throw new Error('connection refused')
      return mined(ids)
    }
    queue.kick()
    await until(async () => (await settlementOf(id)) === 'settled', 20_000)
  })
})
