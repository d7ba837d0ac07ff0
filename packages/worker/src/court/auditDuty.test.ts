import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Receipt, zeroBytes32 } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { entryOf } from '../../test/fixture/entries.ts'
import {
  createFakeSandbox,
  domain,
  executionKey,
  input,
  operator,
  runtimeDigest,
  salt,
} from '../../test/fixture/tickets.ts'
import type { Court } from '../chain/court.ts'
import { createWorkerEvents } from '../events.ts'
import { type Journal, openJournal } from '../journal.ts'
import { auditDelayEpochs, createAuditDuty, isChosen } from './auditDuty.ts'

const seed: Hex = `0x${'5e'.repeat(32)}`
const attester: Address = '0x00000000000000000000000000000000000000a7'
let directory: string
let journal: Journal

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peerhost-audit-'))
  journal = await openJournal({ file: join(directory, 'journal.log'), graceSeconds: 3_600 })
})
afterEach(async () => {
  await journal.close()
  await rm(directory, { recursive: true, force: true })
})

type Change = { seeded?: boolean; isAuditor?: boolean; rate?: number; attester?: Address; hasMaterial?: boolean }

/** One settled request, the epoch's seed captured, and a worker that looks for audits twice. */
async function audit(change: Change = {}) {
  const entry = await entryOf()
  const { ticket, ticketSignature, attestation, requestId } = entry
  const receipt: Receipt = {
    v: 1,
    ...domain,
    requestId,
    ticket,
    ticketSignature,
    salt,
    attestations: [
      {
        attestation,
        signature: entry.attestationSignature,
        executionKey: attester,
        operator: change.attester ?? attester,
      },
    ],
  }
  const sandbox = createFakeSandbox({ body: 'same' })
  const audited: Parameters<Court['audit']>[] = []
  const done: boolean[] = []
  const events = createWorkerEvents()
  events.on('audit:done', ({ matched }) => done.push(matched))
  events.on('worker:error', ({ error }) => {
    throw error
  })
  const duty = createAuditDuty({
    domain,
    operator,
    executionKey,
    journal,
    sandbox,
    court: {
      readAudit: async () => ({ isAudited: true, isAuditor: change.isAuditor ?? true }),
      audit: async (...args: Parameters<Court['audit']>) => {
        audited.push(args)
        return { type: 'sent', transaction: '0x01' }
      },
    } as unknown as Court,
    coordinator: {
      readDeployment: async () => ({
        bundleDigest: runtimeDigest,
        runtimeDigest,
        limitsClass: 1,
        flags: 1,
        quorum: 1,
        lane: 1,
        fee: 1n,
      }),
      readParameters: async () => ({
        parameters: { auditRateBps: change.rate ?? 10_000 } as never,
        fromSeconds: 0,
        untilSeconds: 1,
      }),
    },
    operators: {
      readEpoch: async (epoch) => ({
        seed: change.seeded !== false && epoch === ticket.epoch + auditDelayEpochs ? seed : zeroBytes32,
        capturedAt: 0,
        totalStake: 1n,
        operatorCount: 1,
      }),
    },
    lane: {} as never,
    seats: { seatFacts: async () => ({ epochSeed: zeroBytes32 }) as never },
    fetchBundle: async () => new Uint8Array([1]),
    protocolTimes: { epochSeconds: 3_600, settlementGrace: 3_600, maximumTicketLifetime: 300 },
    readSettledBetween: async () => [{ requestId, operator: change.attester ?? attester }],
    findMaterial: async () => (change.hasMaterial === false ? undefined : { receipt, input }),
    emit: events.emit,
    now: () => (ticket.epoch + auditDelayEpochs) * 3_600_000,
  })
  for (let round = 0; round < 2; round += 1) await duty.round(new AbortController().signal)
  return { audited, done, runs: sandbox.jobs.length, requestId }
}

describe('audits', () => {
  it('runs a chosen request again, signs what came out, and says so once', async () => {
    const { audited, done, runs, requestId } = await audit()
    expect(runs).toBe(1)
    expect(audited.length).toBe(1)
    const [evidence, own, shown] = audited[0]!
    expect(evidence.attestation.requestId).toBe(requestId)
    expect(own.attestation.resultSeal).not.toBe(evidence.attestation.resultSeal)
    expect(shown.startsWith(salt)).toBe(true)
    expect(done).toEqual([false])
    // One key never signs two results of one request, and nobody pays an audit as a job.
    expect(journal.get(requestId)?.attestation).toEqual(own.attestation)
    expect(journal.get(requestId)?.settledBy).toBe(zeroBytes32)
  })

  it.each<[string, Change]>([
    ['before the seed is captured', { seeded: false }],
    ['what the lottery did not choose', { rate: 0 }],
    ['without a seat as its auditor', { isAuditor: false }],
    ['its own result', { attester: operator }],
    ['what no gateway shows', { hasMaterial: false }],
  ])('does not audit %s', async (_, change) => {
    expect(await audit(change)).toMatchObject({ audited: [], runs: 0 })
  })

  it('draws the share that the parameters name', () => {
    const ids = Array.from({ length: 400 }, (_, at): Hex => `0x${at.toString(16).padStart(64, '0')}`)
    const chosen = ids.filter((id) => isChosen(seed, id, 2_500)).length
    expect(chosen).toBeGreaterThan(60)
    expect(chosen).toBeLessThan(140)
    expect(ids.some((id) => isChosen(seed, id, 0))).toBe(false)
    expect(ids.every((id) => isChosen(seed, id, 10_000))).toBe(true)
  })
})
