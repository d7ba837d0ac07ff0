import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashResult, seal, voteCommitment, voteNumber, zeroBytes32 } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { entryOf } from '../../test/fixture/entries.ts'
import {
  createFakeSandbox,
  type FakeSandbox,
  input,
  operator,
  runtimeDigest,
  salt,
} from '../../test/fixture/tickets.ts'
import type { CaseFacts, Court, CourtEnd, OpenedCase } from '../chain/court.ts'
import { createWorkerEvents, type WorkerEventName } from '../events.ts'
import { type Journal, openJournal } from '../journal.ts'
import { attendCase, type CaseInput } from './juryDuty.ts'

const caseId: Hex = `0x${'ca'.repeat(32)}`
const juryPhase = 100
const sent: CourtEnd = { type: 'sent', transaction: `0x${'7a'.repeat(32)}` }
let directory: string
let journal: Journal

const open = () => openJournal({ file: join(directory, 'journal.log'), graceSeconds: 3_600 })
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peerhost-jury-'))
  journal = await open()
})
afterEach(async () => {
  await journal.close()
  await rm(directory, { recursive: true, force: true })
})

type Step = Partial<CaseFacts> & { at: number }
type Reveal = Parameters<Court['revealVote']>[1]

/** A court whose clock and state follow a script, one step per look; after the last one the case is over. */
async function attend(
  script: Step[],
  {
    sandbox = createFakeSandbox({ body: 'same' }),
    isJuror = true,
    given = { salt, input } as CaseInput | 'none',
    stopAfterCommit = false,
  } = {},
) {
  const commits: Hex[] = []
  const reveals: Reveal[] = []
  const names: WorkerEventName[] = []
  const errors: unknown[] = []
  let concluded = 0
  let looks = 0
  const stopping = new AbortController()
  const step = () => script[Math.min(looks, script.length) - 1]
  const facts = (): CaseFacts => ({ status: 'first-jury', accused: '0x01', phaseEndsAt: 1_000, ...step() })
  const court = {
    readCase: async () => {
      if (concluded > 0) return facts()
      looks += 1
      return looks > script.length ? { ...facts(), status: 'acquitted' as const } : facts()
    },
    isJuror: async () => isJuror,
    readTime: async () => step()?.at ?? 0,
    commitVote: async (_: Hex, commitment: Hex) => {
      commits.push(commitment)
      if (stopAfterCommit) stopping.abort()
      return sent
    },
    revealVote: async (_: Hex, vote: Reveal) => {
      reveals.push(vote)
      return sent
    },
    concludeJury: async () => {
      concluded += 1
      looks = script.length
      stopping.abort()
      return sent
    },
  } as unknown as Court
  const { ticket, attestation, requestId } = await entryOf()
  const opened: OpenedCase = { caseId, requestId, accused: '0x01', ticket, attestation, input: '0x', inputCid: '' }
  const events = createWorkerEvents()
  events.onAny((name) => names.push(name))
  events.on('worker:error', ({ error }) => errors.push(error))
  await attendCase(
    {
      court,
      operator,
      journal,
      sandbox,
      juryPhaseSeconds: juryPhase,
      findInput: async () => (given === 'none' ? undefined : given),
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
      },
      lane: {} as never,
      seats: { seatFacts: async () => ({ epochSeed: zeroBytes32 }) as never },
      fetchBundle: async () => new Uint8Array([1]),
      emit: events.emit,
      pollMs: 1,
    },
    opened,
    stopping.signal,
  )
  expect(errors).toEqual([])
  return { commits, reveals, names, concluded }
}

const committing: Step = { at: 950 }
const revealing: Step = { at: 1_050 }
const over: Step = { at: 1_101 }

/** A sandbox that gives another body each time. */
const shaky = (): FakeSandbox => createFakeSandbox()

describe('jury duty', () => {
  it('runs the request again, commits what came out, and reveals exactly that', async () => {
    const sandbox = createFakeSandbox({ body: 'same' })
    const { commits, reveals, names } = await attend([committing, committing, revealing, revealing], { sandbox })
    expect(commits.length).toBe(1)
    expect(reveals.length).toBe(1)
    const [vote] = reveals
    const run = await createFakeSandbox({ body: 'same' }).run(sandbox.jobs[0]!, new AbortController().signal)
    expect(vote).toMatchObject({ vote: voteNumber('result'), resultSeal: seal(hashResult(run.result), salt) })
    expect(commits[0]).toBe(voteCommitment({ caseId, jury: 1, operator, ...vote! }, vote!.salt))
    expect(names).toEqual(['jury:voted', 'jury:revealed'])
    expect(new Set(sandbox.jobs.map(({ variation }) => variation)).size).toBeGreaterThan(3)
  })

  it('says “differs” when its own runs do', async () => {
    const { reveals } = await attend([committing, revealing], { sandbox: shaky() })
    expect(reveals[0]).toMatchObject({ vote: voteNumber('differs'), resultSeal: zeroBytes32, outcome: 0, status: 0 })
  })

  it('reveals after a restart the vote that it committed before it', async () => {
    const first = await attend([committing], { stopAfterCommit: true })
    await journal.close()
    journal = await open()
    // Were it to run again, it would find that its runs differ.
    const second = await attend([committing, revealing], { sandbox: shaky() })
    expect(second.commits).toEqual(first.commits)
    expect(second.reveals[0]?.vote).toBe(voteNumber('result'))
  })

  it('votes once in each of the two juries', async () => {
    const second: Partial<CaseFacts> = { status: 'second-jury', phaseEndsAt: 2_000 }
    const { commits, reveals } = await attend([
      committing,
      revealing,
      { ...second, at: 1_900 },
      { ...second, at: 2_050 },
    ])
    expect(new Set(commits).size).toBe(2)
    expect(reveals.length).toBe(2)
  })

  it('waits for an input as long as there is time, then says that it could not be had', async () => {
    const early = await attend([{ at: 901 }, { at: 960 }], { given: 'none' })
    expect(early.commits).toEqual([])
    const late = await attend([{ at: 975 }, revealing], { given: 'none' })
    expect(late.reveals[0]).toMatchObject({ vote: voteNumber('unavailable') })
  })

  it('takes no input that is not the ticket’s', async () => {
    const other = { salt, input: new Uint8Array([1]) }
    expect((await attend([{ at: 901 }], { given: other })).commits).toEqual([])
  })

  it('does not vote without a seat, nor without the runtime', async () => {
    expect((await attend([committing, revealing], { isJuror: false })).commits).toEqual([])
    const foreign = createFakeSandbox({ digest: `0x${'99'.repeat(32)}` })
    const { commits, reveals, names } = await attend([committing, revealing], { sandbox: foreign })
    expect([commits, reveals, names]).toEqual([[], [], ['jury:abstained']])
  })

  it('concludes a jury whose time is over, seated or not', async () => {
    const { concluded, names } = await attend([over, over], { isJuror: false })
    expect(concluded).toBe(1)
    expect(names).toEqual(['jury:concluded'])
  })
})
