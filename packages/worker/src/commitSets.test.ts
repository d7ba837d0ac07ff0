import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pureSigning } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { entryOf, setOf } from '../test/fixture/entries.ts'
import { domain, executionKey } from '../test/fixture/tickets.ts'
import type { SignedCommitSet } from './chain/coordinator.ts'
import { commitmentOf } from './commitments.ts'
import { takeCommitSet } from './commitSets.ts'
import { createWorkerEvents, type WorkerEventName } from './events.ts'
import { type Journal, openJournal } from './journal.ts'

const other: Hex = `0x${'0d'.repeat(32)}`
let directory: string
let journal: Journal

const open = () => openJournal({ file: join(directory, 'journal.log'), graceSeconds: 3_600 })
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peerhost-sets-'))
  journal = await open()
})
afterEach(async () => {
  await journal.close()
  await rm(directory, { recursive: true, force: true })
})

/** A journaled result of a quorum, its commitment, and what the worker does with sets. */
async function start() {
  const entry = await journal.attest(await entryOf({ quorum: 3 }), new Uint8Array([1]))
  const mine = commitmentOf(executionKey.address, entry) as Hex
  const reported: [SignedCommitSet, SignedCommitSet][] = []
  const names: WorkerEventName[] = []
  const events = createWorkerEvents()
  events.onAny((name) => names.push(name))
  const take = (set: SignedCommitSet, requestId = entry.requestId) =>
    takeCommitSet(
      {
        domain,
        executionKey,
        signing: pureSigning,
        journal,
        coordinator: {
          reportCommitSets: async (_, first, second) => {
            reported.push([first, second])
            return '0x01'
          },
        },
        emit: events.emit,
      },
      requestId,
      set,
    )
  return { entry, mine, take, reported, names }
}

describe('commit sets', () => {
  it('opens against a set of the requester that holds its commitment, each time the same', async () => {
    const { entry, mine, take, reported } = await start()
    const set = await setOf(entry.requestId, [other, mine])
    for (let at = 0; at < 2; at += 1) expect(await take(set)).toMatchObject({ type: 'open', entry: { commitSet: set } })
    expect(reported).toEqual([])
  })

  it('opens against nothing that the requester did not sign, and does not keep it', async () => {
    const { entry, mine, take } = await start()
    expect(await take(await setOf(entry.requestId, [mine], executionKey))).toEqual({ type: 'refused' })
    const set = await setOf(entry.requestId, [mine])
    expect(await take({ ...set, commitments: [mine, other] })).toEqual({ type: 'refused' })
    expect(await take(set, other)).toEqual({ type: 'refused' })
    expect(journal.get(entry.requestId)?.commitSet).toBeUndefined()
  })

  it('two commit sets: opens against the first alone, and reports both once, also after a restart', async () => {
    const { entry, mine, take, reported, names } = await start()
    const [first, second] = [await setOf(entry.requestId, [mine]), await setOf(entry.requestId, [mine, other])]
    expect(await take(first)).toMatchObject({ type: 'open' })
    await journal.close()
    journal = await open()
    expect(await take(second)).toEqual({ type: 'refused' })
    expect(await take(second)).toEqual({ type: 'refused' })
    expect(await take(first)).toMatchObject({ type: 'open' })
    expect(reported).toEqual([[first, second]])
    expect(names).toEqual(['sets:conflict', 'sets:reported'])
    expect(journal.get(entry.requestId)?.rivalSet).toEqual(second)
  })

  it('two commit sets at once: only one of them is opened against', async () => {
    const { entry, mine, take, reported } = await start()
    const sets = [await setOf(entry.requestId, [mine]), await setOf(entry.requestId, [other, mine])] as const
    const decisions = await Promise.all(sets.map((set) => take(set)))
    expect(decisions.map(({ type }) => type).sort()).toEqual(['open', 'refused'])
    expect(reported.length).toBe(1)
  })

  it('knows a set that others are in, and holds a later one with its own commitment against it', async () => {
    const { entry, mine, take, reported } = await start()
    const theirs = await setOf(entry.requestId, [other])
    expect(await take(theirs)).toEqual({ type: 'not-in-set' })
    const late = await setOf(entry.requestId, [mine])
    expect(await take(late)).toEqual({ type: 'refused' })
    expect(reported).toEqual([[theirs, late]])
  })
})
