import type { EscrowTerms } from '@peerhost/protocol'
import { pino } from 'pino'
import { type Address, getAddress, type Hex, keccak256, stringToHex, zeroAddress, zeroHash } from 'viem'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Sent } from '../chain/chain.ts'
import type { EscrowChain, EscrowOnChain } from '../chain/escrowChain.ts'
import type { Database } from '../database/database.ts'
import { openPglite } from '../database/pglite.ts'
import { saveExecuted } from '../requests/requestTable.ts'
import { carryEscrows } from './carryEscrows.ts'
import { findEscrow, insertQuote, moveEscrow } from './escrowTable.ts'

const hash = (text: string): Hex => keccak256(stringToHex(text))
const requester: Address = getAddress(`0x${'ab'.repeat(20)}`)
const quoteId = hash('quote')
const grace = 100
const now = () => Math.floor(Date.now() / 1_000)

let database: Database
let onChain: EscrowOnChain
let calls: string[]
let refuse: Partial<Record<'settle' | 'release' | 'refund', string>>

beforeAll(async () => {
  database = await openPglite()
})
afterAll(async () => database.close())
beforeEach(async () => {
  for (const table of ['escrows', 'requests', 'payments']) await database.query(`delete from ${table}`)
  calls = []
  refuse = {}
  onChain = { status: 'open', payer: requester, deadline: now() + 60, quorum: 1 }
})

const act = async (name: 'settle' | 'release' | 'refund', status: EscrowOnChain['status']): Promise<Sent> => {
  calls.push(name)
  const reason = refuse[name]
  if (reason !== undefined) return { type: 'reverted', reason }
  onChain = { ...onChain, status }
  return { type: 'mined', transaction: hash(name), blockNumber: 1n }
}
const chain: EscrowChain = {
  read: async () => onChain,
  openedBy: async () => hash('open'),
  open: async () => ({ type: 'reverted', reason: 'not here' }),
  settle: () => act('settle', 'settled'),
  release: () => act('release', 'released'),
  refund: () => act('refund', 'refunded'),
}

/** One round, whatever the time of the next step. */
async function round(): Promise<string | undefined> {
  await database.query('update escrows set next_ms = 0')
  await carryEscrows({
    database,
    chain: { escrow: chain },
    log: pino({ level: 'silent' }),
    requester,
    times: { settlementGrace: grace, conflictWindow: 10, challengeWindow: 50 },
  })
  return (await findEscrow(database, quoteId))?.state
}

async function open(deadline = now() + 60): Promise<void> {
  const terms: EscrowTerms = {
    requester,
    functionId: hash('f'),
    functionVersion: 1,
    inputSeal: hash('i'),
    payee: requester,
    price: 7n,
    deadline,
    nonce: hash('n'),
  }
  const quote = { quoteId, deposit: requester, terms, salt: hash('s') }
  await insertQuote(database, quote, { functionId: hash('f'), fingerprint: hash('p'), nowMs: 1 })
  await moveEscrow(database, quoteId, ['quoted'], { state: 'open', paymentId: hash('payment'), nextMs: 0 })
}

async function answered(status: number, { deadline = now() + 60, quorum = 1 } = {}): Promise<void> {
  const requestId = hash('request')
  const signed = (name: string) => ({
    attestation: { protocolVersion: 1, requestId, resultSeal: hash('r'), outcome: 1, status, seat: 1 },
    signature: hash(name),
    executionKey: requester,
    operator: requester,
  })
  await saveExecuted(database, {
    requestId,
    ticket: {
      protocolVersion: 1,
      functionId: hash('f'),
      functionVersion: 1,
      envVersion: 0,
      runtimeDigest: hash('r'),
      inputSeal: hash('i'),
      requester,
      epoch: 1,
      sequence: 1n,
      quorum,
      lane: 1,
      fee: 1n,
      issuedAt: 1,
      deadline,
      payer: requester,
      payee: requester,
      price: 7n,
      quoteId,
      funder: zeroAddress,
    },
    ticketSignature: '0x12',
    salt: zeroHash,
    input: new Uint8Array(),
    result: new Uint8Array(),
    attestations: [signed('a'), signed('b')].slice(0, quorum),
    paymentId: hash('payment'),
    fromBlock: 1n,
    createdAtMs: 1,
    settlement: 'settled',
  })
  await moveEscrow(database, quoteId, ['open'], { requestId })
}

test('recorded, then released once the challenge window is over', async () => {
  await open()
  await answered(200)
  expect(await round()).toBe('settled')
  expect(calls).toEqual(['settle'])
  expect(await round()).toBe('settled')
  expect(calls).toEqual(['settle'])
  onChain = { ...onChain, deadline: now() - 60 }
  expect(await round()).toBe('released')
  expect(calls).toEqual(['settle', 'release'])
  expect(await findEscrow(database, quoteId)).toMatchObject({ settledBy: hash('settle'), closedBy: hash('release') })
})

test('with a quorum the conflict window is enough', async () => {
  await open()
  await answered(200, { quorum: 2 })
  expect(await round()).toBe('settled')
  onChain = { ...onChain, deadline: now() - 20, quorum: 2 }
  expect(await round()).toBe('released')
})

test('a result that earns nothing is recorded, and the payer gets the price back at once', async () => {
  await open()
  await answered(500)
  expect(await round()).toBe('settled')
  expect(await round()).toBe('refunded')
  expect(calls).toEqual(['settle', 'refund'])
})

test('late batch against early refund: without a result nothing goes back before deadline and grace', async () => {
  await open()
  expect(await round()).toBe('open')
  expect(calls).toEqual([])
  onChain = { ...onChain, deadline: now() - grace - 10 }
  expect(await round()).toBe('refunded')
})

test('a result that could not be recorded in time goes back', async () => {
  await open(now() - grace - 10)
  await answered(200, { deadline: now() - grace - 10 })
  expect(await round()).toBe('refunded')
  expect(calls).toEqual(['refund'])
})

test('a dispute that is open is waited for; one that was lost refunds', async () => {
  await open()
  await answered(200)
  await round()
  onChain = { ...onChain, deadline: now() - 60 }
  refuse = { release: `DisputeOpen(${quoteId}, ${quoteId})` }
  expect(await round()).toBe('settled')
  expect(await findEscrow(database, quoteId)).toMatchObject({ attempts: 1, reason: refuse.release })
  refuse = { release: `NotReleasable(${quoteId})` }
  expect(await round()).toBe('refunded')
})

test('what the contract says is too early is asked again then', async () => {
  await open()
  await answered(500)
  await round()
  const moment = now() + 40
  refuse = { refund: `TooEarly(${moment}, ${now()})` }
  expect(await round()).toBe('settled')
  expect((await findEscrow(database, quoteId))?.nextMs).toBe((moment + 3) * 1_000)
})

test.each(['released', 'refunded'] as const)('what somebody else %s is written down', async (status) => {
  await open()
  await answered(200)
  onChain = { ...onChain, status }
  expect(await round()).toBe(status)
  expect(calls).toEqual([])
})

test('after a crash between transaction and writing down, no step is done twice', async () => {
  await open()
  await answered(200)
  // Recorded on chain by us, but we did not live to write it down.
  onChain = { ...onChain, status: 'settled', deadline: now() - 60 }
  expect(await round()).toBe('released')
  expect(calls).toEqual(['release'])
})

test('a chain that does not answer costs nothing but time', async () => {
  await open()
  await answered(200)
  const { settle } = chain
  chain.settle = async () => {
    throw new Error('connection refused')
  }
  expect(await round()).toBe('open')
  chain.settle = settle
  expect(await round()).toBe('settled')
})
