import { type Address, getAddress, type Hex, keccak256, stringToHex, zeroAddress } from 'viem'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Database } from '../src/database/database.ts'
import { migrate } from '../src/database/migrations.ts'
import type { EscrowQuote } from '../src/escrow/escrow.ts'
import {
  findEscrow,
  findEscrowByDeposit,
  forgetQuotes,
  insertQuote,
  listDueEscrows,
  moveEscrow,
} from '../src/escrow/escrowTable.ts'
import type { PaymentRecord } from '../src/payment/payment.ts'
import {
  findPayment,
  insertPayment,
  listUnfinished,
  lockPayment,
  movePayment,
  rebindPayment,
} from '../src/payment/paymentTable.ts'
import { findCommitSet, forgetCommitSets, insertCommitSet } from '../src/quorum/commitSetTable.ts'
import { findConflict, insertConflict, listPendingConflicts, setConflict } from '../src/quorum/conflictTable.ts'
import {
  loadCursor,
  loadFunctions,
  saveCursor,
  saveFunction,
  saveMetadata,
  saveTerms,
} from '../src/registry/functionTable.ts'
import { createSequences } from '../src/requester/sequences.ts'
import type { OpenedAttestation, Recorded } from '../src/requests/request.ts'
import {
  failJob,
  findRequest,
  forgetTranscripts,
  insertDraft,
  keepTranscript,
  listAgreed,
  listDue,
  listOutstanding,
  listSending,
  listUsedSequences,
  nextDueMs,
  postponeAgreed,
  postponeSettlement,
  saveExecuted,
  setSettled,
  setSettlement,
} from '../src/requests/requestTable.ts'
import { kinds } from './databases.ts'
import { recordedJob as job } from './recordedJob.ts'

const hash = (text: string): Hex => keccak256(stringToHex(text))
const requester: Address = getAddress(`0x${'ab'.repeat(20)}`)

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
    expect(await database.query('select count(*)::int as n from migrations')).toEqual([{ n: 3 }])
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
    await saveExecuted(database, { ...job('old but to be judged', 52n), settlement: 'settled', keepUntilMs: 5_000 })
    await forgetTranscripts(database, { beforeMs: 2_000, nowMs: 4_999 })
    expect(await findRequest(database, hash('old'))).toMatchObject({
      input: undefined,
      result: undefined,
      salt: settled.salt,
    })
    expect((await findRequest(database, hash('old but pending')))?.result).toEqual(settled.result)
    expect((await findRequest(database, hash('old but to be judged')))?.input).toEqual(settled.input)
    await forgetTranscripts(database, { beforeMs: 2_000, nowMs: 5_001 })
    expect((await findRequest(database, hash('old but to be judged')))?.input).toBeUndefined()
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
      createSequences({ database, requester: address, longestLifetimeSeconds: 1 }),
      createSequences({ database: second, requester: address, longestLifetimeSeconds: 1 }),
    ]
    const taken = await Promise.all(Array.from({ length: 200 }, (_, index) => (index % 2 ? a : b).take()))
    expect(new Set(taken).size).toBe(200)
    const alone: Address = getAddress(`0x${'12'.repeat(20)}`)
    const first = createSequences({ database, requester: alone, longestLifetimeSeconds: 1 })
    expect([await first.take(), await first.take()]).toEqual([0n, 1n])
    first.giveBack(1n)
    expect(await first.take()).toBe(1n)
    await first.close()
    expect(await createSequences({ database, requester: alone, longestLifetimeSeconds: 1 }).take()).toBe(2n)
  })

  test('a request of a quorum keeps its attestations, their salts and the commit set', async () => {
    const one = job('quorum', 60n)
    const attestations = ['a', 'b', 'c'].map((name) => ({
      ...(one.attestations[0] as OpenedAttestation),
      commitmentSalt: hash(name),
    }))
    const commitSet = { commitments: [hash('1'), hash('2')], signature: '0x99' as const }
    await saveExecuted(database, { ...one, attestations, commitSet, settleAfterMs: 9_000 })
    expect(await findRequest(second, one.requestId)).toMatchObject({ attestations, commitSet, settlementNextMs: 9_000 })
    const listed = await listDue(database, { requester, nowMs: 8_999, limit: 100 })
    expect(listed.map(({ requestId }) => requestId)).not.toContain(one.requestId)
  })

  test('a row of the first version has one attestation', async () => {
    const one = job('first version', 61n)
    await saveExecuted(database, one)
    await database.query('update requests set attestation = $2 where request_id = $1', [
      one.requestId,
      JSON.stringify(one.attestations[0]),
    ])
    expect((await findRequest(database, one.requestId))?.attestations).toEqual(one.attestations)
  })

  test('a quorum that agreed on chain is found when it is due', async () => {
    const address: Address = getAddress(`0x${'21'.repeat(20)}`)
    const one = job('agreed', 0n)
    const own = { ...one, ticket: { ...one.ticket, requester: address } }
    await saveExecuted(database, { ...own, settlement: 'agreed', settleAfterMs: 700 })
    const due = async (nowMs: number) => (await listAgreed(database, { requester: address, nowMs, limit: 5 })).length
    expect([await due(699), await due(700)]).toEqual([0, 1])
    await postponeAgreed(database, own.requestId, 900)
    expect([await due(899), await due(900)]).toEqual([0, 1])
  })

  test('a request has one commit set, whoever is faster', async () => {
    const sets = Array.from({ length: 6 }, (_, index) => ({
      commitments: [hash(`c${index}`)],
      signature: '0x12' as const,
    }))
    const stored = await Promise.all(
      sets.map((set, index) => insertCommitSet(index % 2 ? database : second, hash('set'), set)),
    )
    expect(stored.filter(Boolean)).toHaveLength(1)
    expect(await findCommitSet(second, hash('set'))).toEqual(sets[stored.indexOf(true)])
    expect(await findCommitSet(database, hash('no set'))).toBeUndefined()
    await forgetCommitSets(database, Date.now() + 1)
    expect(await findCommitSet(database, hash('set'))).toBeUndefined()
  })

  test('a conflict is kept once, listed until it is reported, and remembered', async () => {
    const address: Address = getAddress(`0x${'22'.repeat(20)}`)
    const { ticket, attestations } = job('conflict', 0n)
    const [{ attestation }] = attestations as [OpenedAttestation]
    const conflict = {
      ticket: { ...ticket, requester: address },
      ticketSignature: '0x34' as const,
      first: { attestation, signature: '0x01' as const },
      second: { attestation: { ...attestation, status: 201 }, signature: '0x02' as const },
      operators: [requester, address] as const,
    }
    const about = { requestId: hash('conflict'), nowMs: 1 }
    await insertConflict(database, { ...about, conflict })
    await insertConflict(second, { ...about, conflict: { ...conflict, ticketSignature: '0xff' } })
    const pending = (nowMs: number) => listPendingConflicts(database, { requester: address, nowMs })
    expect(await pending(1)).toEqual([{ requestId: about.requestId, conflict, attempts: 0 }])
    await setConflict(database, about.requestId, { state: 'pending', nextMs: 50, reason: 'later' })
    expect((await pending(49)).length).toBe(0)
    expect((await pending(50))[0]?.attempts).toBe(1)
    await setConflict(database, about.requestId, { state: 'reported', transaction: hash('tx') })
    expect(await pending(1_000)).toEqual([])
    expect(await findConflict(second, about.requestId)).toEqual(conflict)
  })

  test('the bytes of a request without an answer are kept for a jury', async () => {
    const { result: _, attestations: __, settlement: ___, ...draft } = job('no answer', 62n)
    await keepTranscript(database, draft, 8_000)
    await keepTranscript(database, draft, 9_000)
    expect(await findRequest(database, draft.requestId)).toMatchObject({ status: 'failed', input: draft.input })
    await forgetTranscripts(database, { beforeMs: 2_000, nowMs: 8_999 })
    expect((await findRequest(database, draft.requestId))?.input).toEqual(draft.input)
  })

  test('quotes are found by their address, move only forwards, and are forgotten unpaid', async () => {
    const quote = (name: string): EscrowQuote => ({
      quoteId: hash(name),
      deposit: getAddress(`0x${hash(name).slice(2, 42)}`),
      terms: {
        requester,
        functionId: hash('function'),
        functionVersion: 3,
        inputSeal: hash('seal'),
        payee: requester,
        price: 2n ** 100n,
        deadline: 5,
        nonce: hash('nonce'),
      },
      salt: hash('salt'),
    })
    const [paid, unpaid] = [quote('paid'), quote('unpaid')]
    const about = { functionId: hash('function'), fingerprint: hash('fingerprint'), nowMs: 1 }
    await insertQuote(database, paid, about)
    await insertQuote(database, unpaid, about)
    expect(await findEscrowByDeposit(second, paid.deposit)).toMatchObject({ ...paid, state: 'quoted', attempts: 0 })
    const record = { ...payment('escrowed'), terms: { price: 1n, payTo: paid.deposit, mode: 'escrow' as const } }
    await insertPayment(database, record, 1)
    expect((await findPayment(database, record.payment.id))?.terms).toEqual({ ...record.terms, escrow: paid })
    expect(
      await moveEscrow(database, paid.quoteId, ['quoted'], { state: 'open', openedBy: hash('tx'), nextMs: 70 }),
    ).toBe(true)
    expect(await moveEscrow(second, paid.quoteId, ['quoted'], { state: 'open' })).toBe(false)
    const due = async (nowMs: number) =>
      (await listDueEscrows(database, { requester, nowMs, limit: 9 })).map(({ quoteId }) => quoteId)
    expect(await due(69)).toEqual([])
    expect(await due(70)).toEqual([paid.quoteId])
    await forgetQuotes(database, 4_999)
    expect(await findEscrow(database, unpaid.quoteId)).toBeDefined()
    await forgetQuotes(database, 5_001)
    expect(await findEscrow(database, unpaid.quoteId)).toBeUndefined()
    await moveEscrow(database, paid.quoteId, ['open'], { state: 'refunded', closedBy: hash('back'), reason: 'late' })
    expect(await findEscrow(second, paid.quoteId)).toMatchObject({
      state: 'refunded',
      openedBy: hash('tx'),
      closedBy: hash('back'),
      reason: 'late',
    })
    expect(await due(10_000)).toEqual([])
  })

  test('numbers that are spoken for, and those that are over', async () => {
    const address: Address = getAddress(`0x${'23'.repeat(20)}`)
    const of = (name: string, sequence: bigint, more: Partial<Recorded> = {}): Recorded => {
      const one = job(name, sequence)
      return { ...one, ...more, ticket: { ...one.ticket, requester: address } }
    }
    await saveExecuted(database, of('u0', 0n), of('u1', 1n, { settlement: 'settled' }))
    const { result: _, attestations: __, settlement: ___, ...draft } = of('u2', 2n)
    await insertDraft(database, draft)
    const used = (sinceMs: number) => listUsedSequences(database, { requester: address, from: 0n, to: 255n, sinceMs })
    expect((await used(999)).sort()).toEqual([0n, 2n])
    expect(await used(1_000)).toEqual([0n])

    const sequences = createSequences({ database, requester: address, longestLifetimeSeconds: 60 })
    expect(sequences.position()).toBeUndefined()
    const now = Math.floor(Date.now() / 1_000)
    const [first, second_] = [await sequences.take(), await sequences.take()]
    sequences.issued(first, now + 10)
    expect(sequences.isOver(first, now + 20)).toBe(false)
    expect(sequences.isOver(first, now + 26)).toBe(true)
    expect(sequences.isOver(second_, now + 1_000)).toBe(false)
    sequences.giveBack(first)
    expect(sequences.isOver(first, now + 1_000)).toBe(false)
    const after = createSequences({ database, requester: address, longestLifetimeSeconds: 60 })
    await after.take()
    expect(after.isOver(second_, now + 60)).toBe(false)
    expect(after.isOver(second_, now + 80)).toBe(true)
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
