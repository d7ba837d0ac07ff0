import { execFileSync } from 'node:child_process'
import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PROTOCOL_VERSION } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { executionKey, nowSeconds, offerOf } from '../test/fixture/tickets.ts'
import { type Journal, type JournalEntry, openJournal } from './journal.ts'

let directory: string
let file: string
const opened: Journal[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peerhost-journal-'))
  file = join(directory, 'journal.log')
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((journal) => journal.close().catch(() => {})))
  await rm(directory, { recursive: true, force: true })
})

async function open(): Promise<Journal> {
  const journal = await openJournal({ file, graceSeconds: 3_600 })
  opened.push(journal)
  return journal
}

async function entryOf(sequence: bigint, resultSeal: Hex = `0x${'77'.repeat(32)}`): Promise<JournalEntry> {
  const { requestId, ticket, signature } = await offerOf({ sequence })
  const attestation = { protocolVersion: PROTOCOL_VERSION, requestId, resultSeal, outcome: 1, status: 200, seat: 1 }
  return {
    requestId,
    ticket,
    ticketSignature: signature,
    attestation,
    attestationSignature: await executionKey.sign(resultSeal),
    usage: { durationMs: 1.5, queueMs: 0, logBytes: 0 },
    publicResult: false,
  }
}

const hash = (byte: string): Hex => `0x${byte.repeat(32)}`
const bytes = (text: string) => new TextEncoder().encode(text)

describe('journal', () => {
  it('gives back after a restart exactly what was attested', async () => {
    const journal = await open()
    const entry = await entryOf(1n)
    await journal.attest(entry, bytes('result'))
    await journal.close()
    const again = await open()
    expect(again.get(entry.requestId)).toEqual(entry)
    expect(await again.readResult(entry.requestId)).toEqual(bytes('result'))
    expect(again.requestOfSequence(entry.ticket.requester.toUpperCase().replace('0X', '0x') as Hex, 1n)).toBe(
      entry.requestId,
    )
  })

  it('keeps the first of two attestations of one request, also when both come at once', async () => {
    const journal = await open()
    const first = await entryOf(1n)
    const second = await entryOf(1n, `0x${'88'.repeat(32)}`)
    const [a, b] = await Promise.all([journal.attest(first, bytes('first')), journal.attest(second, bytes('second'))])
    expect(a.attestationSignature).toBe(first.attestationSignature)
    expect(b.attestationSignature).toBe(first.attestationSignature)
    expect((await journal.attest(second, bytes('second'))).attestation).toEqual(first.attestation)
    await journal.close()
    expect(await (await open()).readResult(first.requestId)).toEqual(bytes('first'))
  })

  it('opens after a crash anywhere in a write, with everything that was durable before it', async () => {
    const journal = await open()
    const [first, second] = [await entryOf(1n), await entryOf(2n)]
    await journal.attest(first, bytes('first'))
    const durable = (await stat(file)).size
    await journal.attest(second, bytes('second'))
    await journal.close()
    const whole = await readFile(file)
    const lengths = Array.from({ length: whole.length - durable + 1 }, (_, at) => durable + at)
    // Every kind of place: the ends, and one byte in twenty-nine between them.
    for (const length of lengths.filter((_, at) => at < 20 || at % 29 === 0 || at > lengths.length - 4)) {
      await writeFile(file, whole.subarray(0, length))
      const again = await open()
      expect(again.get(first.requestId)).toEqual(first)
      expect(again.get(second.requestId)).toEqual(length === whole.length ? second : undefined)
      await again.close()
      expect((await stat(file)).size).toBe(length === whole.length ? length : durable)
    }
  })

  it('cuts off a last unit that the disk holds only in part, and goes on after it', async () => {
    const journal = await open()
    await journal.attest(await entryOf(1n), bytes('first'))
    const second = await entryOf(2n)
    const durable = (await stat(file)).size
    await journal.close()
    await appendFile(file, `${'\0'.repeat(100)}\n`)
    const again = await open()
    expect((await stat(file)).size).toBe(durable)
    await again.attest(second, bytes('second'))
    await again.close()
    expect((await open()).get(second.requestId)).toEqual(second)
  })

  it('does not open over damage before its end', async () => {
    const journal = await open()
    await journal.attest(await entryOf(1n), bytes('first'))
    await journal.attest(await entryOf(2n), bytes('second'))
    await journal.close()
    const content = await readFile(file)
    content[40] = content[40]! ^ 1
    await writeFile(file, content)
    await expect(open()).rejects.toMatchObject({ code: 'internal', message: 'The journal is damaged before its end.' })
    const cut = content.subarray(0, content.length - 5)
    await writeFile(file, cut)
    await expect(open()).rejects.toMatchObject({ code: 'internal' })
  })

  it('drops what can no longer be settled or asked, and keeps the rest readable', async () => {
    const journal = await open()
    const [settled, open1, open2] = [await entryOf(1n), await entryOf(2n), await entryOf(3n)]
    for (const [at, entry] of [settled, open1, open2].entries()) await journal.attest(entry, bytes(`result ${at}`))
    await journal.markSettled([settled.requestId], `0x${'aa'.repeat(32)}`)
    expect(await journal.compact(nowSeconds)).toBe(0)
    const before = (await stat(file)).size

    expect(await journal.compact(nowSeconds + 60 + 600)).toBe(1)
    expect((await stat(file)).size).toBeLessThan(before)
    expect(journal.get(settled.requestId)).toBeUndefined()
    // Beyond the deadline nobody may ask for the result; the attestation is still worth its fee.
    expect(journal.get(open1.requestId)).toEqual(open1)
    expect(await journal.readResult(open1.requestId)).toBeUndefined()

    const late = await entryOf(4n)
    await journal.attest(late, bytes('late'))
    await journal.close()
    const again = await open()
    expect(again.entries().map(({ requestId }) => requestId)).toEqual(
      [open1, open2, late].map(({ requestId }) => requestId),
    )
    expect(await again.readResult(late.requestId)).toEqual(bytes('late'))
    expect(await again.compact(nowSeconds + 60 + 3_600 + 600)).toBe(3)
    expect(again.entries()).toEqual([])
  })

  it('remembers settlements, and that one was undone', async () => {
    const journal = await open()
    const entry = await entryOf(1n)
    await journal.attest(entry, bytes('result'))
    await journal.markSettled([entry.requestId], `0x${'aa'.repeat(32)}`)
    await journal.close()
    const again = await open()
    expect(again.get(entry.requestId)?.settledBy).toBe(`0x${'aa'.repeat(32)}`)
    await again.markSettled([entry.requestId], undefined)
    await again.close()
    expect((await open()).get(entry.requestId)?.settledBy).toBeUndefined()
  })

  it('shares fsyncs between attestations that come together', async () => {
    const journal = await open()
    const entries = await Promise.all(Array.from({ length: 50 }, (_, at) => entryOf(BigInt(at))))
    await Promise.all(entries.map((entry, at) => journal.attest(entry, bytes(`result ${at}`))))
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
    expect(lines.length).toBeLessThan(5)
    expect(await journal.readResult(entries[49]!.requestId)).toEqual(bytes('result 49'))
  })

  it('fails every attestation after a failed write, so that nothing is sent that is not on disk', async () => {
    const journal = await open()
    const entry = await entryOf(1n)
    await journal.close()
    await expect(journal.attest(entry, bytes('result'))).rejects.toMatchObject({ code: 'internal' })
    expect(journal.get(entry.requestId)).toBeUndefined()
    await truncate(file)
    expect((await open()).entries()).toEqual([])
  })

  it.skipIf(process.getuid?.() !== 0)(
    'says that the disk is full, keeps what it had, and goes on when there is room',
    async () => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', directory])
      try {
        const journal = await open()
        const [first, second, third] = await Promise.all([1n, 2n, 3n].map((sequence) => entryOf(sequence)))
        await journal.attest(first!, bytes('first'))
        const { size } = await stat(file)
        await writeFile(join(directory, 'other'), Buffer.alloc(4 << 20)).catch(() => {})
        await expect(journal.attest(second!, Buffer.alloc(65_536))).rejects.toMatchObject({ code: 'disk_full' })
        await journal.mend()
        expect(journal.isBroken()).toBe(true)
        expect((await stat(file)).size).toBe(size)
        expect(journal.get(second!.requestId)).toBeUndefined()
        await rm(join(directory, 'other'))
        await journal.mend()
        expect(journal.isBroken()).toBe(false)
        await journal.attest(third!, bytes('third'))
        await journal.close()
        const again = await open()
        expect(again.entries().map(({ requestId }) => requestId)).toEqual([first!.requestId, third!.requestId])
        expect(await again.readResult(third!.requestId)).toEqual(bytes('third'))
        await again.close()
      } finally {
        execFileSync('umount', ['-l', directory])
      }
    },
  )

  it('keeps commitment salts, commit sets and votes through a restart and a compaction', async () => {
    const journal = await open()
    const entry = { ...(await entryOf(1n)), commitmentSalt: hash('c5'), inputSalt: hash('15') }
    await journal.attest(entry, bytes('result'))
    const [first, second] = [
      { commitments: [hash('01')], signature: '0xaa' as const },
      { commitments: [hash('02')], signature: '0xbb' as const },
    ]
    // The first one counts, also when both come at once.
    const kept = await Promise.all([journal.keepSet(entry.requestId, first), journal.keepSet(entry.requestId, second)])
    expect(kept).toEqual([first, first])
    await journal.keepRival(entry.requestId, second)
    const vote = { caseId: hash('ca'), jury: 1, vote: 1, resultSeal: hash('77'), outcome: 1, status: 200 }
    const votes = [
      { ...vote, salt: hash('05'), keepUntil: nowSeconds + 10_000 },
      { ...vote, salt: hash('06'), keepUntil: nowSeconds + 10_000 },
      { ...vote, jury: 2, salt: hash('07'), keepUntil: nowSeconds - 10_000 },
    ]
    for (const one of votes) await journal.vote(one)
    await journal.attest(await entryOf(2n), bytes('old'))
    await journal.markSettled([(await entryOf(2n)).requestId], hash('99'))
    const expected = { ...entry, commitSet: first, rivalSet: second }
    const check = (held: Journal) => {
      expect(held.get(entry.requestId)).toEqual(expected)
      expect(held.voteOf(vote.caseId, 1)?.salt).toBe(hash('05'))
    }
    check(journal)
    await journal.close()
    const again = await open()
    check(again)
    expect(again.voteOf(vote.caseId, 2)?.salt).toBe(hash('07'))
    expect(await again.compact(entry.ticket.deadline + 601)).toBe(1)
    check(again)
    await again.close()
    const compacted = await open()
    check(compacted)
    expect(compacted.voteOf(vote.caseId, 2)).toBeUndefined()
  })
})
