import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { laneNumber, outcomeNumber, zeroBytes32 } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type EntryChanges, entryOf, setOf } from '../test/fixture/entries.ts'
import { executionKey, operator, salt } from '../test/fixture/tickets.ts'
import type { Lane, LaneEnd, Opening, PostedFacts } from './chain/lane.ts'
import { commitmentOf } from './commitments.ts'
import { createWorkerEvents, type WorkerEventName } from './events.ts'
import { type Journal, type JournalEntry, openJournal } from './journal.ts'
import { createLaneAnswers } from './laneAnswers.ts'

const lane = laneNumber('confirmed')
const transaction: Hex = `0x${'7a'.repeat(32)}`
let directory: string
let journal: Journal

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peerhost-lane-'))
  journal = await openJournal({ file: join(directory, 'journal.log'), graceSeconds: 3_600 })
})
afterEach(async () => {
  await journal.close()
  await rm(directory, { recursive: true, force: true })
})

const result = new TextEncoder().encode('result')
const attested = async (changes: EntryChanges = {}) => journal.attest(await entryOf({ lane, ...changes }), result)

/** A lane behind our own port: what it was asked, and what it answers. */
function createFakeLane() {
  const state = {
    calls: [] as string[],
    openings: [] as Opening[],
    posted: { status: 'open', postedBlock: 1n, openings: 0, hasCallback: false } as PostedFacts,
    commitment: 'none' as 'none' | 'committed' | 'opened',
    /** Ends of the next openings and submissions; then they are paid. */
    ends: [] as LaneEnd[],
  }
  const paid: LaneEnd = { type: 'sent', transaction, isPaid: true }
  const act = async (name: string, opening?: Opening): Promise<LaneEnd> => {
    state.calls.push(name)
    if (opening) state.openings.push(opening)
    return state.ends.shift() ?? paid
  }
  const port: Lane = {
    readPosted: async () => state.posted,
    readCommitment: async () => state.commitment,
    readBlockHash: async () => undefined,
    readHead: async () => 1n,
    commit: async () => {
      state.calls.push('commit')
      state.commitment = 'committed'
      return { type: 'sent', transaction, isPaid: false }
    },
    open: (opening) => act('open', opening),
    submit: (opening) => act('submit', opening),
    finalise: (_, hasCallback) => act(hasCallback ? 'finaliseWithOutput' : 'finalise'),
  }
  const names: WorkerEventName[] = []
  const events = createWorkerEvents()
  events.onAny((name) => names.push(name))
  const answers = createLaneAnswers({
    lane: port,
    operator,
    executionKey: executionKey.address,
    journal,
    emit: events.emit,
    signal: new AbortController().signal,
    turnRetryMs: 1,
  })
  return { state, answers, names }
}

async function withSet(entry: JournalEntry, isMine: boolean): Promise<JournalEntry> {
  const mine = commitmentOf(executionKey.address, entry) as Hex
  await journal.keepSet(entry.requestId, await setOf(entry.requestId, [isMine ? mine : `0x${'0d'.repeat(32)}`]))
  return journal.get(entry.requestId) as JournalEntry
}

describe('answers on chain', () => {
  it('submits against the requester’s set, once', async () => {
    const { state, answers, names } = createFakeLane()
    const entry = await withSet(await attested(), true)
    await Promise.all([answers.bring(entry), answers.bring(entry)])
    await answers.bring(entry)
    expect(state.calls).toEqual(['submit'])
    expect(journal.get(entry.requestId)?.settledBy).toBe(transaction)
    expect(names).toEqual(['settlement:sent', 'job:settled'])
  })

  it.each([
    ['there is no set', false, 1],
    ['others are in the set', true, 1],
    ['it is a quorum', false, 3],
  ])('commits and opens on chain when %s', async (_, hasSet, quorum) => {
    const { state, answers } = createFakeLane()
    const entry = await attested({ quorum })
    await answers.bring(hasSet ? await withSet(entry, false) : entry)
    expect(state.calls).toEqual(['commit', 'open'])
  })

  it('after a crash opens the commitment that stands, with the salt of the journal, and commits no second time', async () => {
    const { state, answers } = createFakeLane()
    state.commitment = 'committed'
    const entry = await attested()
    await answers.bring(entry)
    expect(state.calls).toEqual(['open'])
    expect(state.openings[0]?.commitmentSalt).toBe(entry.commitmentSalt)
    state.commitment = 'opened'
    await answers.bring(await attested({ sequence: 2n, quorum: 3 }))
    expect(state.calls).toEqual(['open'])
  })

  it('waits for its turn', async () => {
    const { state, answers } = createFakeLane()
    state.ends = [
      { type: 'refused', reason: 'NotYourTurn' },
      { type: 'refused', reason: 'NotYourTurn' },
    ]
    await answers.bring(await attested())
    expect(state.calls).toEqual(['commit', 'open', 'open', 'open'])
  })

  it('knows when another one was first', async () => {
    const { state, answers, names } = createFakeLane()
    state.ends = [{ type: 'refused', reason: 'PostedNotInStatus' }]
    const entry = await attested()
    const bringing = answers.bring(entry)
    state.posted = { ...state.posted, status: 'settled' }
    await bringing
    expect(journal.get(entry.requestId)?.settledBy).toBe(zeroBytes32)
    expect(names).not.toContain('settlement:sent')
  })

  it.each(['none', 'settled', 'expired'] as const)('sends nothing about a request that is “%s”', async (status) => {
    const { state, answers } = createFakeLane()
    state.posted = { ...state.posted, status }
    const entry = await attested()
    await answers.bring(entry)
    expect(state.calls).toEqual([])
    expect(journal.get(entry.requestId)?.settledBy).toBe(status === 'none' ? undefined : zeroBytes32)
  })

  it.each([
    [false, 'finalise'],
    [true, 'finaliseWithOutput'],
  ])(
    'finalises a quorum that agreed (callback: %s), and tries again when it is too early',
    async (hasCallback, call) => {
      const { state, answers } = createFakeLane()
      state.posted = { ...state.posted, status: 'agreed', hasCallback }
      state.ends = [{ type: 'refused', reason: 'TicketInvalid' }]
      const entry = await attested({ quorum: 3 })
      await answers.bring(entry)
      expect(journal.get(entry.requestId)?.settledBy).toBeUndefined()
      await answers.bring(entry)
      expect(state.calls).toEqual([call, call])
      expect(journal.get(entry.requestId)?.settledBy).toBe(transaction)
    },
  )

  it('shows a result only where its request was public', async () => {
    const { state, answers } = createFakeLane()
    await answers.bring(await attested({ sequence: 1n }))
    await answers.bring(await attested({ sequence: 2n, publicResult: true }))
    expect(state.openings.map(({ output, inputSalt }) => [output, inputSalt])).toEqual([
      ['0x', zeroBytes32],
      [`0x${Buffer.from('result').toString('hex')}`, salt],
    ])
  })

  it('lazy resource outcome: one signature never brings an outcome that depends on the machine, a quorum does', async () => {
    const { state, answers } = createFakeLane()
    const outcome = outcomeNumber('out-of-memory')
    await answers.bring(await attested({ sequence: 1n, outcome }))
    expect(state.calls).toEqual([])
    await answers.bring(await attested({ sequence: 2n, outcome, quorum: 2 }))
    expect(state.calls).toEqual(['commit', 'open'])
  })
})
