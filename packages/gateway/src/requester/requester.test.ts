import { DEFAULT_PARAMETERS } from '@peerhost/protocol'
import { pino } from 'pino'
import { type Address, getAddress, type Hex, zeroHash } from 'viem'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Sent } from '../chain/chain.ts'
import type { RequesterBond } from '../chain/requesterChain.ts'
import type { Database } from '../database/database.ts'
import { openPglite } from '../database/pglite.ts'
import type { SeatMode } from '../seats/seating.ts'
import { bondRequester } from './bondRequester.ts'
import { collectFees } from './collectFees.ts'
import { createRequesterStanding } from './requesterStanding.ts'
import { voidSequences } from './voidSequences.ts'

const requester: Address = getAddress(`0x${'ab'.repeat(20)}`)
const log = pino({ level: 'silent' })
const mined: Sent = { type: 'mined', transaction: zeroHash, blockNumber: 1n }

let bond: RequesterBond
let mode: SeatMode
let reasons: number[]
let sent: unknown[]
beforeEach(() => {
  bond = { amount: DEFAULT_PARAMETERS.requesterBond, countsFrom: 0, withdrawableAt: 0 }
  mode = 'all-seated'
  reasons = []
  sent = []
})

describe('standing', () => {
  const wanted: number[] = []
  const standing = () =>
    createRequesterStanding({
      chain: {
        requesterBond: async () => bond,
        parametersAt: async () => DEFAULT_PARAMETERS,
        drawReason: async () => reasons.shift() ?? 0,
      },
      seating: { modeOf: async () => mode },
      requester,
      windowMs: 500,
      onUnseeded: (epoch) => wanted.push(epoch),
    })
  const ask = (quorum: number, lane = 1) =>
    standing()
      .assertMayAsk({ requester, sequence: 600n, epoch: 7, issuedAt: 1, quorum, lane })
      .then(
        () => 'may',
        (error: { code: string; details: string[] }) => `${error.code}: ${error.details[0]}`,
      )

  test('one answer of any operator needs nothing', async () => {
    bond = { ...bond, amount: 0n }
    expect(await ask(1)).toBe('may')
  })

  test.each<[string, Partial<RequesterBond>]>([
    ['none', { amount: 0n }],
    ['one that is too small', { amount: DEFAULT_PARAMETERS.requesterBond - 1n }],
    ['one on its way out', { withdrawableAt: 9 }],
  ])('a quorum needs a bond, and %s is none', async (_, change) => {
    expect(await ask(3)).toBe('may')
    bond = { ...bond, ...change }
    expect(await ask(3)).toContain('runtime_unavailable')
    expect(await ask(3, 2)).toBe('may')
  })

  test('drawn seats need a bond that counts and a window that moved on', async () => {
    mode = 'drawn'
    expect(await ask(1)).toBe('may')
    reasons = [14]
    expect(await ask(1)).toContain('does not count yet')
    reasons = [15, 15]
    expect(await ask(1)).toBe('may')
    reasons = Array.from({ length: 20 }, () => 15)
    expect(await ask(1)).toContain('not settled yet')
  })

  test('without a seed there are no seats, and somebody is told', async () => {
    mode = 'unseeded'
    expect(await ask(1)).toContain('not drawn yet')
    expect(wanted).toEqual([7])
  })
})

describe('bond', () => {
  const run = (wantedBond: bigint | 'auto', balance: bigint) =>
    bondRequester({
      chain: {
        requesterBond: async () => bond,
        parametersAt: async () => DEFAULT_PARAMETERS,
        tokenBalance: async () => balance,
        bondRequester: async (amount) => {
          sent.push(amount)
          return mined
        },
      },
      log,
      requester,
      wanted: wantedBond,
      nowSeconds: () => 1,
    })

  test('what is missing is added, when the account has it', async () => {
    bond = { ...bond, amount: 1n }
    await run('auto', DEFAULT_PARAMETERS.requesterBond)
    await run(501n, 500n)
    await run(501n, 499n)
    expect(sent).toEqual([DEFAULT_PARAMETERS.requesterBond - 1n, 500n])
  })

  test('not more than is wanted, not when it is switched off, not when it is on its way out', async () => {
    await run('auto', 10n ** 12n)
    bond = { ...bond, amount: 0n }
    await run(0n, 10n ** 12n)
    bond = { ...bond, withdrawableAt: 5 }
    await run('auto', 10n ** 12n)
    expect(sent).toEqual([])
  })
})

test('fees are collected where it pays', async () => {
  let fees = 999n
  const run = (above: bigint | undefined) =>
    collectFees({
      chain: {
        uncollectedFees: async () => fees,
        collectFees: async () => {
          sent.push(fees)
          return mined
        },
      },
      log,
      requester,
      above,
    })
  await run(undefined)
  await run(1_000n)
  fees = 1_000n
  await run(1_000n)
  expect(sent).toEqual([1_000n])
})

describe('numbers that nobody will use', () => {
  let database: Database
  let consumed: Map<bigint, bigint>
  let over: (sequence: bigint) => boolean
  beforeAll(async () => {
    database = await openPglite()
  })
  afterAll(async () => database.close())
  beforeEach(() => {
    consumed = new Map()
    over = () => true
    mode = 'drawn'
  })

  const run = (position: bigint | undefined) =>
    voidSequences({
      database,
      chain: {
        consumedWord: async (_, word) => consumed.get(word) ?? 0n,
        voidSequences: async (word, mask) => {
          sent.push([word, mask])
          return mined
        },
      },
      log,
      requester,
      sequences: { position: () => position, isOver: (sequence) => over(sequence) },
      seating: { modeOf: async () => mode },
      epochSeconds: 3_600,
      nowSeconds: () => 7_200,
    })
  const store = async (sequence: bigint, settlement: string, status = 'executed') => {
    const id: Hex = `0x${sequence.toString(16).padStart(64, '0')}`
    await database.query(
      `insert into requests (request_id, requester, sequence, function_id, status, ticket, ticket_signature, salt, from_block,
         settlement, settlement_attempts, settlement_next_ms, created_at_ms)
       values ($1, $2, $3, '', $4, '', '', '', 0, $5, 0, 0, $6)`,
      [id, requester, sequence, status, settlement, Date.now()],
    )
  }
  const bits = (...numbers: bigint[]) => numbers.reduce((mask, one) => mask | (1n << one), 0n)
  const allBut = (...numbers: bigint[]) => (2n ** 256n - 1n) & ~bits(...numbers)

  test('everything but what is settled, waits to be settled, or may still be answered', async () => {
    consumed.set(0n, bits(0n))
    await store(1n, 'pending')
    await store(2n, 'sending')
    await store(3n, 'failed')
    await store(4n, 'none', 'dispatched')
    over = (sequence) => sequence !== 5n
    await run(300n)
    expect(sent).toEqual([[0n, allBut(0n, 1n, 2n, 4n, 5n)]])
  })

  test('the two words before the one in use, and only while they are not full', async () => {
    consumed.set(2n, 2n ** 256n - 1n)
    consumed.set(3n, allBut(7n))
    await run(4n * 256n + 1n)
    expect(sent).toEqual([[3n, bits(7n)]])
  })

  test('nothing while everyone is seated, and nothing before the first number', async () => {
    await run(undefined)
    mode = 'all-seated'
    await run(1_000n)
    expect(sent).toEqual([])
  })
})
