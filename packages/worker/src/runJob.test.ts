import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LIMITS_CLASSES, zeroBytes32 } from '@peerhost/protocol'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createFakeSandbox, domain, executionKey, nowSeconds, offerOf } from '../test/fixture/tickets.ts'
import type { Job } from './acceptJob.ts'
import { type Journal, openJournal } from './journal.ts'
import { type JobDeps, runJob } from './runJob.ts'
import type { RunLoss } from './runLoss.ts'
import type { Egress } from './sandbox/egress.ts'
import type { SandboxJob } from './sandbox/sandbox.ts'

let directory: string
let journal: Journal

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'run-job-'))
  journal = await openJournal({ file: join(directory, 'journal'), graceSeconds: 3_600 })
})
afterEach(async () => {
  await journal.close()
  await rm(directory, { recursive: true })
})

const jobOf = async (usesNetwork: boolean): Promise<Job> => ({
  ...(await offerOf()),
  limits: LIMITS_CLASSES[0],
  isolation: 'context',
  bundleDigest: zeroBytes32,
  seat: 'all-seated',
  randomness: zeroBytes32,
  usesNetwork,
  readsEnvironment: false,
})
const call = { index: 0, method: 'GET', url: 'https://api.example.com/', headers: [], body: new Uint8Array() } as const
const answer = { type: 'refused', code: 'egress_timed_out', message: 'late' } as const

function depsOf(before: (job: SandboxJob, signal: AbortSignal) => Promise<void>, egressOf: JobDeps['egressOf']) {
  const sandbox = createFakeSandbox({ before })
  const fetchBundle = async () => new Uint8Array([1])
  const deps: JobDeps = { domain, executionKey, fetchBundle, sandbox, journal, now: () => nowSeconds * 1_000 }
  return { sandbox, deps: egressOf ? { ...deps, egressOf } : deps }
}

const never = new AbortController().signal

it('gives the function of a job that uses the network a way out, and no other', async () => {
  const egress: Egress = async () => answer
  const { sandbox, deps } = depsOf(
    async () => undefined,
    () => egress,
  )
  expect(await runJob(deps, await jobOf(true), never)).toMatchObject({ type: 'attested' })
  expect(sandbox.jobs[0]?.egress).toBe(egress)
  const other = { ...(await jobOf(false)), ...(await offerOf({ sequence: 1n })) }
  expect(await runJob(deps, other, never)).toMatchObject({ type: 'attested' })
  expect(sandbox.jobs[1]).not.toHaveProperty('egress')
})

it('does not attest a run that lost a call, whatever the function made of it', async () => {
  const egressOf = (_: Job, onLost: (loss: RunLoss) => void): Egress => {
    return async () => {
      onLost({ reason: 'egress-diverged', error: 'lost' })
      throw new Error('lost')
    }
  }
  let ended: AbortSignal | undefined
  const { deps } = depsOf(async (job, signal) => {
    ended = signal
    await job.egress?.(call, signal).catch(() => undefined)
  }, egressOf)
  const job = await jobOf(true)
  expect(await runJob(deps, job, never)).toEqual({ type: 'declined', reason: 'egress-diverged', error: 'lost' })
  expect(ended?.aborted).toBe(true)
  expect(journal.get(job.requestId)).toBeUndefined()
})
