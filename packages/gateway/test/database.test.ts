import { type SignedAttestation, zeroBytes32 } from '@peerhost/protocol'
import { type Address, getAddress, type Hex, keccak256, stringToHex, zeroAddress } from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { migrate } from '../src/database/migrations.ts'
import { openPglite } from '../src/database/pglite.ts'
import { openPostgres } from '../src/database/postgres.ts'
import type { PaymentRecord } from '../src/payment/payment.ts'
import {
  findPayment,
  insertPayment,
  listUnfinished,
  lockPayment,
  movePayment,
  rebindPayment,
} from '../src/payment/paymentTable.ts'
import {
  loadCursor,
  loadFunctions,
  saveCursor,
  saveFunction,
  saveMetadata,
  saveTerms,
} from '../src/registry/functionTable.ts'
import type { Recorded } from '../src/requests/request.ts'
import {
  failJob,
  findRequest,
  forgetTranscripts,
  insertDraft,
  listDue,
  listOutstanding,
  listSending,
  nextDueMs,
  postponeSettlement,
  saveExecuted,
  setSettled,
  setSettlement,
} from '../src/requests/requestTable.ts'
import { createSequences } from '../src/requests/sequences.ts'
import { startPostgres } from './postgres.ts'

const hash = (text: string): Hex => keccak256(stringToHex(text))
const requester: Address = getAddress(`0x${'ab'.repeat(20)}`)

function job(name: string, sequence: bigint): Recorded {
  const attested: SignedAttestation = {
    attestation: {
      protocolVersion: 1,
      requestId: hash(name),
      resultSeal: hash('seal'),
      outcome: 1,
      status: 200,
      seat: 1,
    },
    signature: '0x12',
    executionKey: requester,
    operator: requester,
  }
  return {
    requestId: hash(name),
    ticket: {
      protocolVersion: 1,
      functionId: hash('function'),
      functionVersion: 1,
      envVersion: 0,
      runtimeDigest: hash('runtime'),
      inputSeal: hash('input'),
      requester,
      epoch: 7,
      sequence,
      quorum: 1,
      lane: 1,
      fee: 2n ** 90n,
      issuedAt: 1,
      deadline: 2,
      payer: zeroAddress,
      payee: zeroAddress,
      price: 2n ** 120n,
      quoteId: zeroBytes32,
      funder: requester,
    },
    ticketSignature: '0x34',
    salt: hash('salt'),
    input: new Uint8Array([0, 255, 1]),
    result: new Uint8Array([2, 0, 254]),
    attested,
    paymentId: hash('payment'),
    fromBlock: 2n ** 40n,
    createdAtMs: 1_000,
    settlement: 'pending',
  }
}

function payment(name: string): PaymentRecord {
  return {
    payment: {
      id: hash(name),
      x402Version: 2,
      payer: requester,
      payTo: requester,
      amount: 2n ** 100n,
      nonce: hash('nonce'),
      validBefore: 4_000_000_000,
      asset: requester,
      network: 'eip155:1',
      payload: { ключ: ['"', { a: 1 }] },
    },
    requester,
    functionId: hash('function'),
    fingerprint: hash('fingerprint'),
    terms: { price: 2n ** 100n, payTo: requester, mode: 'after' },
    state: 'reserved',
    requestId: hash('request'),
    answerRequestId: undefined,
    transaction: undefined,
    reason: undefined,
    fromBlock: 5n,
  }
}

const kinds: [string, () => Promise<{ open: () => Promise<Database>; stop: () => Promise<void> }>][] = [
  [
    'PGlite',
    async () => {
      const database = await openPglite()
      return { open: async () => database, stop: () => database.close() }
    },
  ],
  [
    'PostgreSQL',
    async () => {
      const server = await startPostgres()
      const databases: Database[] = []
      return {
        open: async () => {
          const database = await openPostgres({ url: server.url, onError: () => undefined })
          databases.push(database)
          return database
        },
        stop: async () => {
          await Promise.all(databases.map((database) => database.close()))
          await server.stop()
        },
      }
    },
  ],
]

describe.each(kinds)('%s', (_, start) => {
  let database: Database
  let second: Database
  let stop: (() => Promise<void>) | undefined

  beforeAll(async () => {
    const server = await start()
    stop = server.stop
    // Both migrate at once, as two gateways that start together do.
    ;[database, second] = await Promise.all([server.open(), server.open()])
  })
  afterAll(async () => stop?.())

  test('migrates once, and again without harm', async () => {
    await migrate(database)
    await migrate(second)
    expect(await database.query('select count(*)::int as n from migrations')).toEqual([{ n: 1 }])
  })

  test('rolls back what fails', async () => {
    const failing = database.transaction(async (transaction) => {
      await transaction.query('insert into cursors values ($1, $2)', ['rolled', 1])
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect(await loadCursor(database, 'rolled')).toBeUndefined()
    expect(await database.query('select 1 as one')).toEqual([{ one: 1 }])
  })

  test('keeps requests as they are: bytes, big numbers, attestations', async () => {
    const one = job('kept', 2n ** 60n)
    await saveExecuted(database, one)
    const found = await findRequest(second, one.requestId)
    expect(found).toMatchObject({ ...one, status: 'executed', settlement: 'pending', settled: undefined })
    await setSettled(database, hash('tx'), 12_345_678_901n, [
      { requestId: one.requestId, index: 3 },
      { requestId: hash('nobody'), index: 4 },
    ])
    expect((await findRequest(second, one.requestId))?.settled).toEqual({
      transaction: hash('tx'),
      blockNumber: '12345678901',
      index: 3,
    })
  })

  test('a draft becomes executed, or failed, once', async () => {
    const one = job('draft', 3n)
    const { ticketSignature, ...draft } = one
    await insertDraft(database, draft)
    expect(await findRequest(database, one.requestId)).toMatchObject({
      status: 'dispatched',
      result: undefined,
      ticketSignature: '',
    })
    await saveExecuted(database, one)
    await failJob(database, one.requestId)
    expect(await findRequest(database, one.requestId)).toMatchObject({
      status: 'executed',
      ticketSignature,
      result: one.result,
    })
  })

  test('one sequence, one ticket', async () => {
    await saveExecuted(database, job('first of its sequence', 4n))
    await expect(insertDraft(second, job('second of its sequence', 4n))).rejects.toThrow()
  })

  test('settlements wait, are sent, postponed and found again', async () => {
    const other: Address = getAddress(`0x${'cd'.repeat(20)}`)
    const mine = (name: string, sequence: bigint): Recorded => {
      const one = job(name, sequence)
      return { ...one, ticket: { ...one.ticket, requester: other } }
    }
    await saveExecuted(database, ...['s1', 's2', 's3'].map((name, index) => mine(name, BigInt(index))))
    const due = (nowMs: number) => listDue(database, { requester: other, nowMs, limit: 2 })
    expect((await due(0)).map(({ requestId }) => requestId)).toEqual([hash('s1'), hash('s2')])
    await setSettlement(database, [hash('s1')], 'sending')
    expect((await listSending(database, other)).map(({ requestId }) => requestId)).toEqual([hash('s1')])
    await postponeSettlement(database, [hash('s1'), hash('s2')], 500)
    expect((await due(499)).map(({ requestId }) => requestId)).toEqual([hash('s3')])
    await setSettlement(database, [hash('s3')], 'failed')
    expect(await nextDueMs(database, other)).toBe(500)
    expect((await due(500)).map(({ settlementAttempts }) => settlementAttempts)).toEqual([1, 1])
    expect((await listOutstanding(database, other)).map(({ ticket }) => ticket.fee)).toEqual([2n ** 90n, 2n ** 90n])
  })

  test('old transcripts are forgotten, what is not settled yet is kept', async () => {
    const settled = { ...job('old', 50n), settlement: 'settled' as const }
    await saveExecuted(database, settled)
    await saveExecuted(database, job('old but pending', 51n))
    await forgetTranscripts(database, 2_000)
    expect(await findRequest(database, hash('old'))).toMatchObject({
      input: undefined,
      result: undefined,
      salt: settled.salt,
    })
    expect((await findRequest(database, hash('old but pending')))?.result).toEqual(settled.result)
  })

  test('one payment is stored once, whoever is faster', async () => {
    const one = payment('raced')
    const stored = await Promise.all(
      Array.from({ length: 10 }, (_, index) => insertPayment(index % 2 ? database : second, one, 1)),
    )
    expect(stored.filter(Boolean)).toHaveLength(1)
    expect(await findPayment(database, one.payment.id)).toEqual(one)
  })

  test('a payment moves only from the states that it may move from', async () => {
    const one = payment('moved')
    const { id } = one.payment
    await insertPayment(database, one, 1)
    expect(await movePayment(database, id, ['executed'], { state: 'paid' }, 2)).toBe(false)
    expect(
      await movePayment(database, id, ['reserved'], { state: 'executed', answerRequestId: hash('answer') }, 2),
    ).toBe(true)
    expect(
      await movePayment(database, id, ['executed', 'unknown'], { state: 'paid', transaction: hash('tx') }, 3),
    ).toBe(true)
    expect(await findPayment(second, id)).toMatchObject({
      state: 'paid',
      answerRequestId: hash('answer'),
      transaction: hash('tx'),
    })
    expect((await listUnfinished(database, requester)).map(({ payment: { id: other } }) => other)).not.toContain(id)
  })

  test('a released payment is bound again, and locked while it is', async () => {
    const one = payment('rebound')
    await insertPayment(database, one, 1)
    await movePayment(database, one.payment.id, ['reserved'], { state: 'released', reason: 'no' }, 2)
    await database.transaction(async (transaction) => {
      expect((await lockPayment(transaction, one.payment.id))?.state).toBe('released')
      await rebindPayment(transaction, { ...one, fingerprint: hash('other') }, { state: 'reserved', nowMs: 3 })
    })
    expect(await findPayment(database, one.payment.id)).toMatchObject({
      state: 'reserved',
      fingerprint: hash('other'),
      reason: undefined,
    })
  })

  test('sequences are handed out once, across processes and restarts', async () => {
    const address: Address = getAddress(`0x${'ef'.repeat(20)}`)
    const [a, b] = [
      createSequences({ database, requester: address }),
      createSequences({ database: second, requester: address }),
    ]
    const taken = await Promise.all(Array.from({ length: 200 }, (_, index) => (index % 2 ? a : b).take()))
    expect(new Set(taken).size).toBe(200)
    const alone: Address = getAddress(`0x${'12'.repeat(20)}`)
    const first = createSequences({ database, requester: alone })
    expect([await first.take(), await first.take()]).toEqual([0n, 1n])
    first.giveBack(1n)
    expect(await first.take()).toBe(1n)
    await first.close()
    expect(await createSequences({ database, requester: alone }).take()).toBe(2n)
  })

  test('functions, terms, metadata and the cursor come back', async () => {
    const record = {
      functionId: hash('f'),
      creator: requester,
      project: 'p',
      name: 'a/b',
      state: {
        owner: requester,
        currentVersion: 2,
        latestVersion: 3,
        paymentMode: 1,
        payee: zeroAddress,
        price: 2n ** 127n,
      },
      deployment: {
        bundleDigest: hash('b'),
        metadataDigest: hash('m'),
        runtimeDigest: hash('r'),
        limitsClass: 1,
        flags: 1,
        quorum: 1,
        lane: 1,
        fee: 2n ** 95n,
      },
      termsEvents: [],
      metadata: { v: 1 as const, name: 'a/b', description: 'd', methods: ['GET'], runtime: 'node24', bundleCid: 'x' },
    }
    const terms = { blockNumber: 9n, logIndex: 1, sinceSeconds: 8, price: 1n, payee: requester, paymentMode: 2 }
    await saveFunction(database, record)
    await saveFunction(database, record)
    await saveTerms(database, record.functionId, terms)
    await saveTerms(database, record.functionId, terms)
    await saveMetadata(database, hash('m'), record.metadata)
    expect(await loadFunctions(second)).toEqual([{ ...record, termsEvents: [terms] }])
    await saveCursor(database, 'c', 10n)
    await saveCursor(database, 'c', 12n)
    expect(await loadCursor(second, 'c')).toBe(12n)
  })
})
