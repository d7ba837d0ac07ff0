import { setTimeout as sleep } from 'node:timers/promises'
import {
  canonicalResult,
  commitment,
  createDigestSigner,
  type DeclineReason,
  encodeResult,
  failedResult,
  hashAttestation,
  hashCommitSet,
  hashResult,
  hashSignedCommitment,
  LIMITS_CLASSES,
  outcomeNumber,
  PROTOCOL_VERSION,
  pureSigning,
  requestId,
  seal,
  type Ticket,
  toBase64,
  zeroBytes32,
} from '@peerhost/protocol'
import { pino } from 'pino'
import { type Address, type Hex, keccak256, stringToHex, zeroAddress } from 'viem'
import { generatePrivateKey } from 'viem/accounts'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Database } from '../database/database.ts'
import { openPglite } from '../database/pglite.ts'
import type { Job } from '../requests/request.ts'
import type { AttestedMessage, CommittedMessage, WorkerLink } from '../workers/workerLink.ts'
import { findCommitSet, insertCommitSet } from './commitSetTable.ts'
import type { Opening } from './gatherOpenings.ts'
import { type QuorumDeps, runQuorum } from './runQuorum.ts'

const hash = (text: string): Hex => keccak256(stringToHex(text))
const domain = { chainId: 1, coordinator: '0x00000000000000000000000000000000000000C0' as Address }
const signer = createDigestSigner(generatePrivateKey())
const salt = hash('salt')
const limits = LIMITS_CLASSES[0]

type Habit =
  | { do: 'answer'; body?: string; timedOut?: boolean; delayMs?: number; openDelayMs?: number }
  | { do: 'decline'; reason: DeclineReason }
  | { do: 'vanish' | 'withhold' | 'switch' | 'forge-commitment' | 'answer-at-once' | 'borrow-commitment' }

type FakeWorker = WorkerLink & { jobs: Hex[]; told: string[]; sets: { commitments: readonly Hex[]; signature: Hex }[] }

let database: Database
let conflicts: [Opening, Opening][]
let renewals: number
let seated: (operator: Address) => boolean

beforeAll(async () => {
  database = await openPglite()
})
afterAll(async () => database.close())
beforeEach(() => {
  conflicts = []
  renewals = 0
  seated = () => true
})

let sequences = 0n
function jobOf(quorum: number): Job {
  const issuedAt = Math.floor(Date.now() / 1_000)
  const ticket: Ticket = {
    protocolVersion: 1,
    functionId: hash('f'),
    functionVersion: 1,
    envVersion: 0,
    runtimeDigest: hash('r'),
    inputSeal: hash('i'),
    requester: signer.address,
    epoch: 1,
    sequence: sequences++,
    quorum,
    lane: 1,
    fee: 100n,
    issuedAt,
    deadline: issuedAt + 70,
    payer: zeroAddress,
    payee: zeroAddress,
    price: 0n,
    quoteId: zeroBytes32,
    funder: zeroAddress,
  }
  return {
    requestId: requestId(domain, ticket),
    ticket,
    ticketSignature: '0x34',
    salt,
    input: new Uint8Array([1]),
    paymentId: undefined,
    fromBlock: 1n,
    createdAtMs: 1,
  }
}

async function attested(
  worker: ReturnType<typeof createDigestSigner>,
  id: Hex,
  habit: Habit,
): Promise<AttestedMessage> {
  const isAnswer = habit.do === 'answer'
  const decoded =
    isAnswer && habit.timedOut
      ? failedResult('timed-out')
      : canonicalResult({
          outcome: 'completed',
          status: 200,
          headers: [],
          body: new TextEncoder().encode(isAnswer ? (habit.body ?? 'ok') : 'ok'),
        })
  const result = encodeResult(decoded)
  const attestation = {
    protocolVersion: PROTOCOL_VERSION,
    requestId: id,
    resultSeal: seal(hashResult(result), salt),
    outcome: outcomeNumber(decoded.outcome),
    status: decoded.status,
    seat: 1,
  }
  const usage = { durationMs: 1, queueMs: 0, logBytes: 0 }
  const signature = await worker.sign(hashAttestation(domain, attestation))
  return { type: 'attested', requestId: id, attestation, signature, result: toBase64(result), usage }
}

const pause = (ms = 0) => sleep(ms, undefined, { ref: ms < 1_000 })
let borrowed: Hex = zeroBytes32

function createWorker(habit: Habit, operator?: Address): FakeWorker {
  const key = createDigestSigner(generatePrivateKey())
  const commitmentSalt = hash(key.address)
  const jobs: Hex[] = []
  const told: string[] = []
  const sets: FakeWorker['sets'] = []
  const committed = async (id: Hex): Promise<CommittedMessage> => {
    const hidden = habit.do === 'switch' ? { ...habit, do: 'answer' as const, body: 'another' } : habit
    const { attestation } = await attested(key, id, hidden)
    const own = commitment(id, key.address, attestation.resultSeal, commitmentSalt)
    if (habit.do === 'answer') borrowed = own
    const shown = habit.do === 'borrow-commitment' ? borrowed : own
    const digest = hashSignedCommitment(domain, { protocolVersion: PROTOCOL_VERSION, requestId: id, commitment: shown })
    const signature = await (habit.do === 'forge-commitment' ? signer : key).sign(digest)
    return { type: 'committed', requestId: id, commitment: shown, signature }
  }
  return {
    jobs,
    told,
    sets,
    operator: operator ?? key.address,
    executionKey: key.address,
    runtimeDigests: [hash('r')],
    capacity: () => 1,
    inFlight: () => 0,
    claim: () => undefined,
    run: async () => ({ type: 'disconnected' }),
    commit: async (job) => {
      jobs.push(job.requestId)
      if (habit.do === 'decline') return { type: 'declined', reason: habit.reason }
      if (habit.do === 'vanish') return { type: 'disconnected' }
      if (habit.do === 'answer-at-once') return { type: 'late' }
      await pause(habit.do === 'answer' ? habit.delayMs : 0)
      return { type: 'committed', message: await committed(job.requestId) }
    },
    open: async (set) => {
      sets.push(set)
      if (habit.do === 'withhold') return { type: 'late' }
      await pause(habit.do === 'answer' ? habit.openDelayMs : 0)
      return { type: 'attested', message: { ...(await attested(key, set.requestId, habit)), commitmentSalt } }
    },
    roll: async () => undefined,
    send: (message) => told.push(message.type),
    close: () => undefined,
  }
}

function deps(workers: readonly WorkerLink[]): QuorumDeps {
  return {
    database,
    domain,
    signer,
    signing: pureSigning,
    log: pino({ level: 'silent' }),
    maySign: async () => true,
    networkTerms: { trustedOf: async () => undefined },
    seating: {
      modeOf: async () => (workers.every(({ operator }) => seated(operator)) ? 'all-seated' : 'drawn'),
      seatOf: async (operator) => (seated(operator) ? 1 : undefined),
    },
    workers: {
      links: () => workers,
      withRuntime: () => workers,
      supports: () => true,
      acquire: async () => undefined,
    },
    noteAttestation: () => true,
    onConflict: (_, first, second) => conflicts.push([first, second]),
    nowSeconds: () => Math.floor(Date.now() / 1_000),
    renew: async () => {
      renewals++
      return jobOf(3)
    },
    dispatchGraceMs: 100,
    openGraceMs: 100,
    lingerMs: 40,
    connectMs: 20,
  }
}

const run = (workers: readonly WorkerLink[], job = jobOf(3)) => runQuorum(deps(workers), job, limits)
const codeOf = (workers: readonly WorkerLink[]) =>
  run(workers).then(
    () => 'answered',
    (error: { code: string }) => error.code,
  )
const honest = (count: number) => Array.from({ length: count }, () => createWorker({ do: 'answer' }))

describe('a quorum agrees', () => {
  test('three equal openings are the answer, in the order of commitment, against one signed set', async () => {
    const workers = [
      createWorker({ do: 'answer', delayMs: 30 }),
      createWorker({ do: 'answer', delayMs: 1 }),
      createWorker({ do: 'answer', delayMs: 15 }),
    ]
    const job = jobOf(3)
    const execution = await run(workers, job)
    const order = [workers[1], workers[2], workers[0]].map((worker) => worker?.executionKey)
    expect(execution.attestations.map(({ executionKey }) => executionKey)).toEqual(order)
    const { commitSet } = execution
    if (!commitSet) throw new Error('no set')
    const digest = hashCommitSet(domain, { protocolVersion: 1, requestId: job.requestId, ...commitSet })
    expect(await pureSigning.recover(digest, commitSet.signature)).toBe(signer.address)
    for (const [index, { executionKey, attestation, commitmentSalt }] of execution.attestations.entries())
      expect(commitSet.commitments[index]).toBe(
        commitment(job.requestId, executionKey, attestation.resultSeal, commitmentSalt ?? '0x'),
      )
    expect(await findCommitSet(database, job.requestId)).toEqual(commitSet)
    for (const worker of workers) expect(worker.sets).toMatchObject([commitSet])
  })

  test('it closes at two more than it needs, and tells the others', async () => {
    const late = createWorker({ do: 'answer', delayMs: 200 })
    const execution = await run([...honest(5), late])
    expect(execution.commitSet?.commitments).toHaveLength(5)
    expect(execution.attestations).toHaveLength(3)
    expect(late.told).toEqual(['cancel'])
  })

  test('a slow one is not waited for once there are enough', async () => {
    const slow = createWorker({ do: 'answer', delayMs: 60_000 })
    const execution = await run([...honest(3), slow])
    expect(execution.commitSet?.commitments).toHaveLength(3)
    expect(slow.jobs).toHaveLength(1)
  })

  test.each<[string, Habit]>([
    ['declines', { do: 'decline', reason: 'at-capacity' }],
    ['vanishes', { do: 'vanish' }],
    ['withheld reveal: commits and does not open', { do: 'withhold' }],
    ['opens something else than it committed to', { do: 'switch' }],
    ['copying a result: commits to what another one committed', { do: 'borrow-commitment' }],
    ['invented commitments: signed by another key', { do: 'forge-commitment' }],
    ['sends its result before the set is closed', { do: 'answer-at-once' }],
  ])('a worker that %s is passed over', async (_, habit) => {
    const bad = createWorker(habit)
    const execution = await run([...honest(3), bad])
    expect(execution.attestations.map(({ executionKey }) => executionKey)).not.toContain(bad.executionKey)
    expect([renewals, conflicts.length]).toEqual([0, 0])
  })

  test('two keys of one operator are one voice', async () => {
    const [a, b] = honest(2)
    const twin = createWorker({ do: 'answer' }, a?.operator)
    expect(await codeOf([a, b, twin] as WorkerLink[])).toBe('no_worker')
  })

  test('only who has a seat is asked', async () => {
    const workers = honest(4)
    const out = workers[3]?.operator
    seated = (operator) => operator !== out
    expect((await run(workers)).attestations).toHaveLength(3)
    expect(workers[3]?.jobs).toEqual([])
  })
})

describe('a quorum does not agree', () => {
  test('committee minority finalises: two that agree are no three, and a contradiction is no answer', async () => {
    const workers = [...honest(2), createWorker({ do: 'answer', body: 'lie' })]
    expect(await codeOf(workers)).toBe('result_conflict')
    expect(conflicts).toHaveLength(1)
  })

  test('a contradiction that comes after the answer is evidence all the same', async () => {
    const liar = createWorker({ do: 'answer', body: 'lie', openDelayMs: 60 })
    const execution = await run([...honest(3), liar])
    expect(execution.attestations).toHaveLength(3)
    await expect.poll(() => conflicts.length).toBe(1)
    expect(conflicts[0]?.[1].attested.operator).toBe(liar.operator)
  })

  test('a machine that ran out of time contradicts nobody', async () => {
    const execution = await run([...honest(3), createWorker({ do: 'answer', timedOut: true })])
    expect(execution.decoded.outcome).toBe('completed')
    expect(conflicts).toEqual([])
  })

  test('three that ran out of time agree: that is a result, for which they are paid', async () => {
    const execution = await run([1, 2, 3].map(() => createWorker({ do: 'answer', timedOut: true })))
    expect(execution.decoded.outcome).toBe('timed-out')
    expect(execution.attestations).toHaveLength(3)
  })

  test('too few that complete it: the time that others ran out of is said', async () => {
    const workers = [...honest(2), createWorker({ do: 'answer', timedOut: true })]
    expect(await codeOf(workers)).toBe('execution_timed_out')
    expect(renewals).toBe(2)
  })

  test('why all declined is said', async () => {
    const declining = [1, 2, 3].map(() => createWorker({ do: 'decline', reason: 'credit-exhausted' }))
    expect(await codeOf(declining)).toBe('credit_exhausted')
    expect(await codeOf(honest(2))).toBe('no_worker')
  })
})

describe('two commit sets', () => {
  test('a request whose set was closed before a crash runs under a fresh ticket', async () => {
    const job = jobOf(3)
    await insertCommitSet(database, job.requestId, { commitments: [hash('old')], signature: '0x12' })
    const workers = honest(3)
    const execution = await run(workers, job)
    expect(execution.requestId).not.toBe(job.requestId)
    expect(workers.flatMap(({ jobs }) => jobs)).not.toContain(job.requestId)
    expect(renewals).toBe(1)
  })

  test('one that is closed elsewhere meanwhile is never closed again', async () => {
    const job = jobOf(3)
    const workers = honest(2)
    const racing = createWorker({ do: 'answer' })
    const { commit } = racing
    racing.commit = async (message, timeoutMs) => {
      if (message.requestId === job.requestId)
        await insertCommitSet(database, job.requestId, { commitments: [hash('theirs')], signature: '0x12' })
      return commit(message, timeoutMs)
    }
    const execution = await run([...workers, racing], job)
    expect(execution.requestId).not.toBe(job.requestId)
    expect((await findCommitSet(database, job.requestId))?.commitments).toEqual([hash('theirs')])
  })
})
