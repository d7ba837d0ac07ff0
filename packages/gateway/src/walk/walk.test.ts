import {
  type CanonicalResult,
  canonicalResult,
  createDigestSigner,
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
import type { Database, Querier } from '../database/database.ts'
import { openPglite } from '../database/pglite.ts'
import type { AuthorizationUse, Collected, Payment } from '../payment/payment.ts'
import type { FunctionRecord } from '../registry/functionRecord.ts'
import { createRecorder } from '../requests/recorder.ts'
import { createSequences } from '../requests/sequences.ts'
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
    currentVersion: 1,
    latestVersion: 1,
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
  roll: async () => undefined,
  send: () => undefined,
  close: () => undefined,
}

let payments = 0
function payment(): Payment {
  return {
    id: hash(`payment ${payments++}`),
    x402Version: 2,
    payer,
    payTo: owner,
    amount: 5n,
    nonce: hash('nonce'),
    validBefore: Math.floor(Date.now() / 1_000) + 60,
    asset: undefined,
    network: 'eip155:1',
    payload: {},
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
      authorizationUse: async () => world.use,
      post: async () => ({ transaction: hash('post') }),
    },
    sequences: createSequences({ database, requester: gatewaySigner.address }),
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
