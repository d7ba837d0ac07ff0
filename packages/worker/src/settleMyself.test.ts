import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeSettlement, laneNumber, outcomeNumber, PROTOCOL_VERSION, zeroBytes32 } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { domain, executionKey, nowSeconds, type OfferChanges, offerOf, operator } from '../test/fixture/tickets.ts'
import type { Coordinator } from './chain/coordinator.ts'
import { createWorkerEvents, type WorkerEventName } from './events.ts'
import { type Journal, type JournalEntry, openJournal } from './journal.ts'
import { createOwnSettlement } from './settleMyself.ts'

const graceSeconds = 3_600
const patienceSeconds = 60
const deadline = nowSeconds + 60
const confirmed = laneNumber('confirmed')
const transaction: Hex = `0x${'7a'.repeat(32)}`
let directory: string
let journal: Journal

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peerhost-settle-'))
  journal = await openJournal({ file: join(directory, 'journal.log'), graceSeconds })
})
afterEach(async () => {
  await journal.close()
  await rm(directory, { recursive: true, force: true })
})

async function attested(
  changes: OfferChanges & { outcome?: number; publicResult?: boolean } = {},
): Promise<JournalEntry> {
  const { outcome = outcomeNumber('completed'), publicResult = false, ...ticket } = changes
  const { requestId, signature, ...offer } = await offerOf(ticket)
  const attestation = {
    protocolVersion: PROTOCOL_VERSION,
    requestId,
    resultSeal: zeroBytes32,
    outcome,
    status: 200,
    seat: 1,
  }
  const usage = { durationMs: 1, queueMs: 0, logBytes: 0 }
  const attestationSignature = await executionKey.sign(requestId)
  const entry = {
    requestId,
    ticket: offer.ticket,
    ticketSignature: signature,
    attestation,
    attestationSignature,
    usage,
    publicResult,
  }
  return journal.attest(entry, new TextEncoder().encode('result'))
}

/** A chain behind our own port: what it was asked, and what it holds. */
function createFakeChain() {
  const state = {
    settles: [] as Hex[][],
    brought: [] as Hex[],
    consumed: new Set<bigint>(),
    onChain: new Map<Hex, Hex[]>(),
    settleAs: 'paid' as 'paid' | 'nothing' | 'skipped' | 'down',
  }
  const coordinator: Pick<Coordinator, 'settle' | 'isConsumed' | 'readSettled'> = {
    settle: async (bytes) => {
      const batch = decodeSettlement(bytes)
      const ids = journal
        .entries()
        .filter(({ ticket }) =>
          batch.groups.some(({ items }) => items.some((item) => item.sequence === ticket.sequence)),
        )
        .map(({ requestId }) => requestId)
      state.settles.push(ids)
      if (state.settleAs === 'down') throw new Error('The chain is away.')
      if (state.settleAs === 'nothing') return undefined
      if (state.settleAs === 'paid') {
        state.onChain.set(transaction, [...(state.onChain.get(transaction) ?? []), ...ids])
        return { transaction, settled: ids, skipped: [] }
      }
      return { transaction, settled: [], skipped: ids.map((requestId) => ({ requestId, reason: 'credit-exhausted' })) }
    },
    isConsumed: async (_, sequence) => state.consumed.has(sequence),
    readSettled: async (asked) => state.onChain.get(asked),
  }
  const log: [WorkerEventName, unknown][] = []
  const events = createWorkerEvents()
  events.onAny((name, event) => log.push([name, event]))
  const own = createOwnSettlement({
    domain,
    operator,
    executionKey: executionKey.address,
    coordinator,
    laneAnswers: {
      bring: async ({ requestId }) => void state.brought.push(requestId),
      idle: async () => {},
    },
    journal,
    emit: events.emit,
    settlementGraceSeconds: graceSeconds,
    patienceSeconds,
  })
  return { own, state, log, names: () => log.map(([name]) => name) }
}

describe('own settlement', () => {
  it('gives the gateway its time, then settles once', async () => {
    const { own, state, names } = createFakeChain()
    const { requestId } = await attested()
    await own.sweep(deadline + patienceSeconds - 1)
    expect(state.settles).toEqual([])
    await own.sweep(deadline + patienceSeconds)
    await own.sweep(deadline + patienceSeconds + 15)
    expect(state.settles).toEqual([[requestId]])
    expect(journal.get(requestId)?.settledBy).toBe(transaction)
    expect(names()).toEqual(['settlement:sent', 'job:settled'])
  })

  it('sends at most a batch of fifty at once, of one requester each', async () => {
    const { own, state } = createFakeChain()
    for (let sequence = 0n; sequence < 51n; sequence += 1n) await attested({ sequence })
    await own.sweep(deadline + patienceSeconds)
    expect(state.settles.map(({ length }) => length)).toEqual([50, 1])
  })

  it('leaves alone what the chain has consumed, what cannot be paid, and what is over', async () => {
    const { own, state, names } = createFakeChain()
    const gone = await attested({ sequence: 1n })
    state.consumed.add(1n)
    await attested({ sequence: 2n, outcome: outcomeNumber('timed-out') })
    await own.sweep(deadline + patienceSeconds)
    expect(state.settles).toEqual([])
    expect(journal.get(gone.requestId)?.settledBy).toBe(zeroBytes32)

    const late = await attested({ sequence: 3n })
    await own.sweep(deadline + graceSeconds)
    await own.sweep(deadline + graceSeconds + 1)
    expect(state.settles).toEqual([])
    expect(names()).toEqual(['job:unpaid'])
    expect(journal.get(late.requestId)?.settledBy).toBeUndefined()
  })

  it.each(['down', 'nothing', 'skipped'] as const)(
    'tries again when a settlement came to nothing (%s)',
    async (settleAs) => {
      const { own, state } = createFakeChain()
      const { requestId } = await attested()
      state.settleAs = settleAs
      await own.sweep(deadline + patienceSeconds)
      expect(journal.get(requestId)?.settledBy).toBeUndefined()
      state.settleAs = 'paid'
      await own.sweep(deadline + patienceSeconds + 15)
      expect(state.settles.length).toBe(2)
      expect(journal.get(requestId)?.settledBy).toBe(transaction)
    },
  )

  it('believes a gateway only as far as the chain says the same', async () => {
    const { own, state, log } = createFakeChain()
    const [paid, claimed] = [await attested({ sequence: 1n }), await attested({ sequence: 2n })]
    state.onChain.set(transaction, [paid.requestId])
    await own.noteSettled(transaction, [paid.requestId, claimed.requestId, `0x${'99'.repeat(32)}`])
    expect(log).toEqual([['job:settled', { requestIds: [paid.requestId], transaction }]])
    await own.sweep(deadline + patienceSeconds)
    expect(state.settles).toEqual([[claimed.requestId]])
  })

  it('settles again what a reorganisation of the chain undid', async () => {
    const { own, state } = createFakeChain()
    const { requestId } = await attested()
    state.onChain.set(transaction, [requestId])
    await own.noteSettled(transaction, [requestId])
    state.onChain.clear()
    await own.sweep(deadline + patienceSeconds)
    expect(state.settles).toEqual([[requestId]])
  })

  it('hands what was asked on chain to its lane at once, and settles no quorum from one signature', async () => {
    const { own, state } = createFakeChain()
    const { requestId } = await attested({ sequence: 1n, lane: confirmed })
    await attested({ sequence: 2n, quorum: 3 })
    await own.sweep(nowSeconds)
    expect(state.brought).toEqual([requestId])
    await own.sweep(deadline + patienceSeconds)
    expect(state.settles).toEqual([])
  })

  it('believes the pay of a quorum where its gateway settled it, and says when nobody did', async () => {
    const { own, state, names } = createFakeChain()
    const paid = await attested({ sequence: 1n, quorum: 3 })
    await attested({ sequence: 2n, quorum: 3, outcome: outcomeNumber('timed-out') })
    state.onChain.set(transaction, [paid.requestId])
    await own.noteSettled(transaction, [paid.requestId])
    expect(journal.get(paid.requestId)?.settledBy).toBe(transaction)
    await own.sweep(deadline + graceSeconds)
    expect(names()).toEqual(['job:settled', 'job:unpaid'])
  })
})
