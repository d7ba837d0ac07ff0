import {
  type CanonicalResult,
  canonicalResult,
  createDigestSigner,
  DEFAULT_TIMES,
  decodeReceiptHeader,
  encodeResult,
  failedResult,
  functionId,
  type GatewayMessage,
  hashAttestation,
  hashResult,
  outcomeNumber,
  PeerHostError,
  pureSigning,
  seal,
  toBase64,
} from '@peerhost/protocol'
import { pino } from 'pino'
import { type Address, getAddress, type Hex, keccak256, stringToHex, zeroAddress } from 'viem'
import { generatePrivateKey } from 'viem/accounts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { EscrowOnChain } from '../chain/escrowChain.ts'
import type { Database, Querier } from '../database/database.ts'
import { openPglite } from '../database/pglite.ts'
import { findEscrowByDeposit } from '../escrow/escrowTable.ts'
import type { AuthorizationUse, Collected, Payment } from '../payment/payment.ts'
import type { FunctionRecord } from '../registry/functionRecord.ts'
import { createSequences } from '../requester/sequences.ts'
import { createRecorder } from '../requests/recorder.ts'
import type { WorkerLink, WorkerReply } from '../workers/workerLink.ts'
import type { Answer, Incoming } from './incoming.ts'
import { createPosted } from './posted.ts'
import { createRuns } from './runs.ts'
import { type WalkDeps, walk } from './walk.ts'

const hash = (text: string): Hex => keccak256(stringToHex(text))
const owner: Address = getAddress(`0x${'a1'.repeat(20)}`)
const payer: Address = getAddress(`0x${'b2'.repeat(20)}`)
const domain = { chainId: 1, coordinator: '0x00000000000000000000000000000000000000C0' as Address }
const gatewaySigner = createDigestSigner(generatePrivateKey())
const workerSigner = createDigestSigner(generatePrivateKey())

let database: Database
let log: string[]
/** What the ports do in a test. */
let world: {
  price: bigint
  paymentMode: number
  reply: 'honest' | WorkerReply
  result: CanonicalResult
  collected: Collected
  use: AuthorizationUse
  valid: boolean
  credit: boolean
  escrow: EscrowOnChain['status']
  opens: boolean
  version: number
}

beforeAll(async () => {
  database = await openPglite()
})
afterAll(async () => database.close())
beforeEach(() => {
  log = []
  world = {
    price: 5n,
    paymentMode: 1,
    reply: 'honest',
    result: canonicalResult({ outcome: 'completed', status: 200, headers: [], body: new TextEncoder().encode('ok') }),
    collected: { type: 'paid', transaction: hash('tx') },
    use: { type: 'used', transaction: hash('tx'), to: owner, value: 5n },
    valid: true,
    credit: true,
    escrow: 'none',
    opens: true,
    version: 1,
  }
})

/** Tells of writes that others rely on, in words. */
function watched(querier: Querier): Querier {
  return {
    query: async (sql, parameters = []) => {
      const rows = await querier.query(sql, parameters)
      if (sql.startsWith('insert into payments')) log.push('reserve payment')
      else if (sql.startsWith('insert into requests') && sql.includes("'dispatched'")) log.push('store request')
      else if (sql.startsWith('insert into requests')) log.push('store result')
      else if (sql.startsWith('insert into escrows')) log.push('remember quote')
      else if (sql.startsWith('update escrows') && rows.length > 0) log.push('escrow moved')
      else if (sql.startsWith('update payments set state') && rows.length > 0) log.push(`payment ${parameters[1]}`)
      return rows
    },
  }
}

const record = (): FunctionRecord => ({
  functionId: functionId(owner, 'p', 'f'),
  creator: owner,
  project: 'p',
  name: 'f',
  state: {
    owner,
    currentVersion: world.version,
    latestVersion: world.version,
    paymentMode: world.paymentMode,
    payee: zeroAddress,
    price: world.price,
  },
  deployment: {
    bundleDigest: hash('b'),
    metadataDigest: hash('m'),
    runtimeDigest: hash('r'),
    limitsClass: 1,
    flags: 1,
    quorum: 1,
    lane: 1,
    fee: 1n,
  },
  termsEvents: [],
  metadata: undefined,
})

async function honest(job: Extract<GatewayMessage, { type: 'job' }>): Promise<WorkerReply> {
  const result = encodeResult(world.result)
  const attestation = {
    protocolVersion: 1,
    requestId: job.requestId,
    resultSeal: seal(hashResult(result), job.salt),
    outcome: outcomeNumber(world.result.outcome),
    status: world.result.status,
    seat: 1,
  }
  const signature = await workerSigner.sign(hashAttestation(domain, attestation))
  const usage = { durationMs: 1, queueMs: 0, logBytes: 0 }
  return {
    type: 'attested',
    message: { type: 'attested', requestId: job.requestId, attestation, signature, result: toBase64(result), usage },
  }
}

const link: WorkerLink = {
  operator: workerSigner.address,
  executionKey: workerSigner.address,
  runtimeDigests: [hash('r')],
  capacity: () => 1,
  inFlight: () => 0,
  claim: () => undefined,
  run: async (job) => {
    log.push('run')
    return world.reply === 'honest' ? honest(job) : world.reply
  },
  commit: async () => ({ type: 'disconnected' }),
  open: async () => ({ type: 'disconnected' }),
  roll: async () => undefined,
  send: () => undefined,
  close: () => undefined,
}

/** The escrow contract as the walk sees it. */
const escrowContract: Address = getAddress(`0x${'e5'.repeat(20)}`)
const escrowChain: WalkDeps['chain']['escrow'] = {
  read: async () => ({ status: world.escrow, payer, deadline: 0, quorum: 1 }),
  openedBy: async () => hash('open'),
  open: async () => {
    log.push('open escrow')
    if (world.opens) world.escrow = 'open'
    return world.opens
      ? { type: 'mined', transaction: hash('open'), blockNumber: 1n }
      : { type: 'reverted', reason: 'AuthorizationInvalid' }
  },
  settle: async () => ({ type: 'reverted', reason: 'not here' }),
  release: async () => ({ type: 'reverted', reason: 'not here' }),
  refund: async () => ({ type: 'reverted', reason: 'not here' }),
}

let payments = 0
function payment(payTo: Address = owner): Payment {
  return {
    id: hash(`payment ${payments++}`),
    x402Version: 2,
    payer,
    payTo,
    amount: 5n,
    nonce: hash('nonce'),
    validBefore: Math.floor(Date.now() / 1_000) + 60,
    asset: undefined,
    network: 'eip155:1',
    payload: { payload: { signature: '0x12', authorization: { validAfter: '0', validBefore: '1' } } },
  }
}

function deps(paid: Payment | undefined): WalkDeps {
  const watching: Database = {
    ...database,
    ...watched(database),
    transaction: (work) => database.transaction((transaction) => work(watched(transaction))),
  }
  const quiet = pino({ level: 'silent' })
  return {
    log: quiet,
    database: watching,
    domain,
    network: { name: 'eip155:1', asset: payer },
    signing: pureSigning,
    signer: gatewaySigner,
    nowSeconds: () => Math.floor(Date.now() / 1_000),
    headBlock: () => 1n,
    headSeconds: () => Math.floor(Date.now() / 1_000),
    epochSeconds: 3_600,
    urlDomain: undefined,
    functionUrl: () => 'http://gateway/f',
    registry: { find: async () => record(), get: record },
    gate: {
      networks: ['eip155:1'],
      read: () => paid,
      mismatch: () => undefined,
      challenge: () => ({ header: '', body: {} }),
      response: () => ['payment-response', ''],
      verify: async () => {
        log.push('verify')
        return world.valid ? { ok: true } : { ok: false, reason: 'signature' }
      },
      settle: async () => {
        log.push('collect')
        return world.collected
      },
    },
    chain: {
      deployment: async () => record().deployment,
      settledEvent: async () => undefined,
      escrow: escrowChain,
      authorizationUse: async () => world.use,
      post: async () => ({ transaction: hash('post') }),
      postedBlock: async () => undefined,
    },
    sequences: createSequences({ database, requester: gatewaySigner.address, longestLifetimeSeconds: 300 }),
    standing: { assertMayAsk: async () => undefined },
    networkTerms: { envVersionOf: async () => 0, trustedOf: async () => undefined },
    seating: { modeOf: async () => 'all-seated', seatOf: async () => 1 },
    escrow: escrowContract,
    requester: gatewaySigner.address,
    times: DEFAULT_TIMES,
    onConflict: () => undefined,
    credit: {
      hold: async () => {
        log.push('hold credit')
        if (!world.credit) throw new PeerHostError('credit_exhausted', 'no')
      },
      adopt: () => undefined,
      release: () => undefined,
      changed: () => undefined,
    },
    recorder: createRecorder({ database: watching, log: quiet, onStored: () => log.push('settle on chain') }),
    workers: {
      links: () => [link],
      withRuntime: () => [link],
      supports: () => true,
      acquire: async ({ except }) => (except(link) ? undefined : link),
    },
    maySign: async () => true,
    noteAttestation: () => true,
    posted: createPosted(),
    runs: createRuns(),
    onSettleable: () => log.push('settle on chain'),
    onPosting: async () => undefined,
    onPosted: async () => undefined,
    dispatchGraceMs: 100,
    openGraceMs: 100,
    lingerMs: 10,
    queueMs: 10,
    connectMs: 10,
    confirmGraceMs: 100,
    settleTimeoutMs: 100,
    elsewhereMs: 100,
  }
}

const incoming: Incoming = {
  method: 'GET',
  host: 'gateway',
  path: `/${owner}/p/f`,
  query: '',
  headers: [],
  body: new Uint8Array(),
}
const outcomeOf = (walking: Promise<Answer>) =>
  walking.then(
    (answer) => (answer.type === 'answered' ? answer.status : answer.code),
    (error: PeerHostError) => error.code,
  )

describe('the order of side effects', () => {
  test('free', async () => {
    world.price = 0n
    const parts = deps(undefined)
    expect(await outcomeOf(walk(parts, incoming))).toBe(200)
    await parts.recorder.flush()
    expect(log).toEqual(['hold credit', 'run', 'store result', 'settle on chain'])
  })

  test('priced and unpaid: nothing happens', async () => {
    expect(await outcomeOf(walk(deps(undefined), incoming))).toBe('payment_required')
    expect(log).toEqual([])
  })

  test('after: verified, reserved, run, stored, collected, then answered', async () => {
    expect(await outcomeOf(walk(deps(payment()), incoming))).toBe(200)
    expect(log).toEqual([
      'verify',
      'hold credit',
      'reserve payment',
      'store request',
      'run',
      'store result',
      'payment executed',
      'settle on chain',
      'payment paying',
      'collect',
      'payment paid',
    ])
  })

  test('upfront: collected before anything runs', async () => {
    world.paymentMode = 2
    expect(await outcomeOf(walk(deps(payment()), incoming))).toBe(200)
    expect(log).toEqual([
      'verify',
      'hold credit',
      'reserve payment',
      'store request',
      'payment paying',
      'collect',
      'payment paid',
      'run',
      'store result',
      'payment paid',
      'settle on chain',
    ])
  })

  test('a payment that does not verify reserves nothing', async () => {
    world.valid = false
    expect(await outcomeOf(walk(deps(payment()), incoming))).toBe('payment_rejected')
    expect(log).toEqual(['verify'])
  })

  test('no credit: nothing is reserved and nothing runs', async () => {
    world.credit = false
    expect(await outcomeOf(walk(deps(payment()), incoming))).toBe('credit_exhausted')
    expect(log).toEqual(['verify', 'hold credit'])
  })

  test.each([
    [
      'a status of 400',
      () => canonicalResult({ outcome: 'completed', status: 400, headers: [], body: new Uint8Array() }),
      400,
    ],
    ['an exception', () => failedResult('threw'), 500],
  ])('failed result released: after %s nothing is collected, the worker is still paid', async (_, result, status) => {
    world.result = result()
    expect(await outcomeOf(walk(deps(payment()), incoming))).toBe(status)
    expect(log.slice(4)).toEqual(['run', 'store result', 'payment released', 'settle on chain'])
  })

  test('a worker that gives no result: released, nothing collected, nothing to settle', async () => {
    world.reply = { type: 'late' }
    expect(await outcomeOf(walk(deps(payment()), incoming))).toBe('no_worker')
    expect(log.slice(4)).toEqual(['run', 'payment released'])
  })

  test('upfront without a result: the payment stays paid for the next try', async () => {
    world.paymentMode = 2
    world.reply = { type: 'disconnected' }
    const paid = payment()
    expect(await outcomeOf(walk(deps(paid), incoming))).toBe('no_worker')
    expect(log.slice(4)).toEqual(['payment paying', 'collect', 'payment paid', 'run'])
    world.reply = 'honest'
    log = []
    expect(await outcomeOf(walk(deps(paid), incoming))).toBe(200)
    expect(log).toEqual(['hold credit', 'store request', 'run', 'store result', 'payment paid', 'settle on chain'])
  })

  test('a collection that fails withholds the result and keeps it for the same payment', async () => {
    world.collected = { type: 'failed', reason: 'insufficient' }
    world.use = { type: 'unused' }
    const paid = payment()
    expect(await outcomeOf(walk(deps(paid), incoming))).toBe('payment_settlement_failed')
    expect(log.slice(-3)).toEqual(['payment paying', 'collect', 'payment executed'])
    world.collected = { type: 'paid', transaction: hash('tx') }
    world.use = { type: 'used', transaction: hash('tx'), to: owner, value: 5n }
    log = []
    expect(await outcomeOf(walk(deps(paid), incoming))).toBe(200)
    expect(log).toEqual(['payment paying', 'collect', 'payment paid'])
  })

  test('an outcome that nobody knows is never “not paid”', async () => {
    world.collected = { type: 'unknown', reason: 'timeout' }
    world.use = { type: 'unused' }
    const paid = payment()
    expect(await outcomeOf(walk(deps(paid), incoming))).toBe('payment_settlement_unknown')
    expect(log.at(-1)).toBe('payment unknown')
    world.use = { type: 'used', transaction: hash('tx'), to: owner, value: 5n }
    log = []
    expect(await outcomeOf(walk(deps(paid), incoming))).toBe(200)
    expect(log).toEqual(['payment paid'])
  })

  test('stolen authorization: used for another payee, it is not a payment', async () => {
    world.collected = { type: 'unknown', reason: 'timeout' }
    world.use = { type: 'used', transaction: hash('tx'), to: payer, value: 5n }
    expect(await outcomeOf(walk(deps(payment()), incoming))).toBe('payment_settlement_failed')
  })
})

describe('escrow', () => {
  const quoted = async (): Promise<Address> => {
    world.paymentMode = 3
    const answer = await walk(deps(undefined), incoming)
    if (answer.type !== 'payment-required') throw new Error(answer.type)
    log = []
    return answer.terms.payTo
  }

  test('unpaid: a quote with an address of its own is remembered, each time another one', async () => {
    world.paymentMode = 3
    const [a, b] = [await walk(deps(undefined), incoming), await walk(deps(undefined), incoming)]
    if (a.type !== 'payment-required' || b.type !== 'payment-required') throw new Error('not a challenge')
    expect(log).toEqual(['remember quote', 'remember quote'])
    expect(a.terms.payTo).not.toBe(owner)
    expect(a.terms.payTo).not.toBe(b.terms.payTo)
    expect(a.terms.escrow?.terms).toMatchObject({ payee: owner, price: 5n, requester: gatewaySigner.address })
  })

  test('the money is in escrow before anything runs, and the ticket is what was quoted', async () => {
    const deposit = await quoted()
    const answer = await walk(deps(payment(deposit)), incoming)
    expect(answer).toMatchObject({
      type: 'answered',
      status: 200,
      payment: { collected: { transaction: hash('open') } },
    })
    expect(log).toEqual([
      'verify',
      'hold credit',
      'reserve payment',
      'store request',
      'payment paying',
      'open escrow',
      'payment paid',
      'escrow moved',
      'run',
      'store result',
      'payment paid',
      'escrow moved',
      'settle on chain',
    ])
    const escrow = await findEscrowByDeposit(database, deposit)
    if (answer.type !== 'answered' || !escrow) throw new Error('no answer')
    const { ticket } = decodeReceiptHeader(answer.receipt)
    expect(ticket).toMatchObject({
      quoteId: escrow.quoteId,
      inputSeal: escrow.terms.inputSeal,
      payee: owner,
      price: 5n,
      payer,
    })
    expect(ticket.deadline).toBeLessThanOrEqual(escrow.terms.deadline)
    expect(escrow).toMatchObject({ state: 'open', requestId: answer.requestId, openedBy: hash('open') })
  })

  test('when it does not open, nothing runs', async () => {
    const deposit = await quoted()
    world.opens = false
    expect(await outcomeOf(walk(deps(payment(deposit)), incoming))).toBe('payment_settlement_failed')
    expect(log.slice(-2)).toEqual(['open escrow', 'payment released'])
  })

  test('swapped body: a payment to an address that was quoted for another request is a conflict', async () => {
    const deposit = await quoted()
    const other = { ...incoming, query: 'n=2' }
    expect(await outcomeOf(walk(deps(payment(deposit)), other))).toBe('payment_conflict')
    expect(log).toEqual([])
  })

  test.each<[string, (deposit: Address) => Payment]>([
    ['to the owner itself', () => payment(owner)],
    ['to nobody’s address', () => payment(getAddress(`0x${'77'.repeat(20)}`))],
    ['of another amount', (deposit) => ({ ...payment(deposit), amount: 4n })],
    [
      'that is about to expire',
      (deposit) => ({ ...payment(deposit), validBefore: Math.floor(Date.now() / 1_000) + 5 }),
    ],
  ])('a payment %s is rejected before anything is reserved', async (_, make) => {
    const deposit = await quoted()
    expect(await outcomeOf(walk(deps(make(deposit)), incoming))).toBe('payment_rejected')
    expect(log).toEqual(['remember quote'])
  })

  test('front-run authorization: money that lies at the quote’s address already pays for it', async () => {
    const deposit = await quoted()
    world.valid = false
    world.use = { type: 'used', transaction: hash('theirs'), to: deposit, value: 4n }
    expect(await outcomeOf(walk(deps(payment(deposit)), incoming))).toBe('payment_rejected')
    world.use = { ...world.use, value: 5n }
    expect(await outcomeOf(walk(deps(payment(deposit)), incoming))).toBe(200)
  })

  test('one payment for two requests: a quote that is paid takes no second payment', async () => {
    const deposit = await quoted()
    expect(await outcomeOf(walk(deps(payment(deposit)), incoming))).toBe(200)
    expect(await outcomeOf(walk(deps(payment(deposit)), incoming))).toBe('payment_rejected')
  })

  test('the same payment again gives the stored answer', async () => {
    const deposit = await quoted()
    const paid = payment(deposit)
    const first = await walk(deps(paid), incoming)
    log = []
    const second = await walk(deps(paid), incoming)
    expect(log).toEqual([])
    if (first.type !== 'answered' || second.type !== 'answered') throw new Error('no answer')
    expect(second.receipt).toBe(first.receipt)
  })

  test('failed result released: a failure is the answer too, and decides that the money goes back', async () => {
    world.result = failedResult('threw')
    const deposit = await quoted()
    expect(await outcomeOf(walk(deps(payment(deposit)), incoming))).toBe(500)
    expect(await findEscrowByDeposit(database, deposit)).toMatchObject({ state: 'open', requestId: expect.any(String) })
  })

  test('without a result the escrow stays open for the next try of the same payment', async () => {
    const deposit = await quoted()
    const paid = payment(deposit)
    world.reply = { type: 'late' }
    expect(await outcomeOf(walk(deps(paid), incoming))).toBe('no_worker')
    expect(await findEscrowByDeposit(database, deposit)).toMatchObject({ state: 'open', requestId: undefined })
    world.reply = 'honest'
    log = []
    expect(await outcomeOf(walk(deps(paid), incoming))).toBe(200)
    expect(log).not.toContain('open escrow')
  })

  test('a new version between quote and payment: what was quoted runs', async () => {
    const deposit = await quoted()
    world.version = 2
    const answer = await walk(deps(payment(deposit)), incoming)
    if (answer.type !== 'answered') throw new Error(answer.detail)
    expect(decodeReceiptHeader(answer.receipt).ticket.functionVersion).toBe(1)
  })
})
