import { constants, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  type Attestation,
  attestationSchema,
  fromBase64,
  type Ticket,
  ticketSchema,
  toBase64,
  type Usage,
} from '@peerhost/protocol'
import type { Hex } from 'viem'
import { z } from 'zod'
import { createUnitLog, type Place, readUnit, readUnits, syncDirectoryOf, type UnitLog } from './unitLog.ts'

/**
 * What this worker signed, on disk before anybody else saw it. One attestation per request, for ever: a second run after
 * a crash finds the first one here, so that one key never signs two results of one request.
 *
 * The file holds one unit per line, `checksum json`; a unit is what was made durable together. Only the last unit can be
 * torn by a crash, and it was not exposed then: it is cut off. A damaged unit before it is damage to the disk, and the
 * worker does not start on a guess.
 */
export type JournalEntry = {
  requestId: Hex
  ticket: Ticket
  ticketSignature: Hex
  attestation: Attestation
  attestationSignature: Hex
  usage: Usage
  /** True when input and result may be public: the input came in calldata. */
  publicResult: boolean
  /** The transaction that is said to have settled it. */
  settledBy?: Hex | undefined
}

export type Journal = {
  get: (requestId: Hex) => JournalEntry | undefined
  entries: () => JournalEntry[]
  /** The request that this worker attested for this sequence number: a second one would never be paid. */
  requestOfSequence: (requester: Hex, sequence: bigint) => Hex | undefined
  /** The result's bytes, while the request may still be asked again. */
  readResult: (requestId: Hex) => Promise<Uint8Array | undefined>
  /** Makes an attestation durable. Gives back the one that counts: the first for this request. */
  attest: (entry: JournalEntry, result: Uint8Array) => Promise<JournalEntry>
  /** True once the disk failed: nothing more can be attested in this process. */
  isBroken: () => boolean
  /** Notes a settlement, or with `undefined` that it is no longer on chain. */
  markSettled: (requestIds: readonly Hex[], transaction: Hex | undefined) => Promise<void>
  /** Drops what nobody can ask or settle any more. Gives the number of entries dropped. */
  compact: (nowSeconds: number) => Promise<number>
  close: () => Promise<void>
}

export type JournalOptions = {
  file: string
  /** Settlement grace of the coordinator, in seconds. */
  graceSeconds: number
}

type Held = { entry: JournalEntry; place: Place }
type JournalRecord =
  | ({ t: 'attested'; result: string | null } & Omit<JournalEntry, 'settledBy'>)
  | { t: 'settled'; requestIds: readonly Hex[]; transaction: Hex | null }

/** Kept beyond the last moment at which an entry matters, because clocks jump. */
const marginSeconds = 600

const hex = z.custom<Hex>((value) => typeof value === 'string' && /^0x([0-9a-f]{2})*$/i.test(value), 'not hex')
const unitSchema = z.array(
  z.discriminatedUnion('t', [
    z.object({
      t: z.literal('attested'),
      requestId: hex,
      ticket: ticketSchema,
      ticketSignature: hex,
      attestation: attestationSchema,
      attestationSignature: hex,
      usage: z.object({ durationMs: z.number(), queueMs: z.number(), logBytes: z.number() }),
      publicResult: z.boolean(),
      result: z.string().nullable(),
    }),
    z.object({ t: z.literal('settled'), requestIds: z.array(hex), transaction: hex.nullable() }),
  ]),
)

/** Opens the journal, creating it when it is not there. Throws `internal` when it is damaged. */
export async function openJournal({ file, graceSeconds }: JournalOptions): Promise<Journal> {
  await mkdir(dirname(file), { recursive: true })
  await rm(`${file}.new`, { force: true })
  const index = createIndex()
  const inFlight = new Map<Hex, Promise<JournalEntry>>()
  const log = await openLog(file, index)

  async function attest({ settledBy: _, ...kept }: JournalEntry, result: Uint8Array): Promise<JournalEntry> {
    const record: JournalRecord = { t: 'attested', ...kept, result: toBase64(result) }
    return index.apply(record, await log.append(record)) ?? kept
  }

  return {
    get: (requestId) => index.held.get(requestId)?.entry,
    entries: () => [...index.held.values()].map(({ entry }) => entry),
    requestOfSequence: (requester, sequence) => index.sequences.get(sequenceKey(requester, sequence)),
    readResult: (requestId) => log.exclusive(() => readResult(log, index.held.get(requestId))),
    attest: (entry, result) => {
      const known = index.held.get(entry.requestId)?.entry
      if (known) return Promise.resolve(known)
      const running = inFlight.get(entry.requestId)
      if (running) return running
      const promise = attest(entry, result).finally(() => inFlight.delete(entry.requestId))
      inFlight.set(entry.requestId, promise)
      return promise
    },
    isBroken: log.isBroken,
    markSettled: async (requestIds, transaction) => {
      const record: JournalRecord = { t: 'settled', requestIds, transaction: transaction ?? null }
      index.apply(record, await log.append(record))
    },
    compact: (nowSeconds) => log.exclusive(() => rewrite({ file, graceSeconds, index, log }, nowSeconds)),
    close: () => log.exclusive(() => log.position().handle.close()),
  }
}

type Index = {
  held: Map<Hex, Held>
  sequences: Map<string, Hex>
  /** Gives back the entry that counts when the record is an attestation. */
  apply: (record: JournalRecord, place: Place) => JournalEntry | undefined
  clear: () => void
}

function createIndex(): Index {
  const held = new Map<Hex, Held>()
  const sequences = new Map<string, Hex>()
  function apply(record: JournalRecord, place: Place): JournalEntry | undefined {
    if (record.t === 'settled') {
      for (const id of record.requestIds) {
        const known = held.get(id)
        if (known) known.entry.settledBy = record.transaction ?? undefined
      }
      return undefined
    }
    const known = held.get(record.requestId)
    if (known) return known.entry
    const { t: _, result: __, ...entry } = record
    held.set(entry.requestId, { entry, place })
    sequences.set(sequenceKey(entry.ticket.requester, entry.ticket.sequence), entry.requestId)
    return entry
  }
  function clear(): void {
    held.clear()
    sequences.clear()
  }
  return { held, sequences, apply, clear }
}

async function openLog(file: string, index: Index): Promise<UnitLog> {
  const handle = await open(file, constants.O_RDWR | constants.O_CREAT, 0o600)
  try {
    for await (const { records, place } of readUnits(handle, file))
      for (const record of unitSchema.parse(records)) index.apply(record, place)
    await syncDirectoryOf(file)
    return await createUnitLog(handle)
  } catch (error) {
    await handle.close()
    throw error
  }
}

async function readResult(log: UnitLog, known: Held | undefined): Promise<Uint8Array | undefined> {
  if (!known) return undefined
  const records = unitSchema.parse(await readUnit(log.position().handle, known.place))
  const record = records.find(
    (candidate) => candidate.t === 'attested' && candidate.requestId === known.entry.requestId,
  )
  return record?.t === 'attested' && record.result !== null ? fromBase64(record.result) : undefined
}

/** Copies what is alive into a new file and puts it in place of the old one. Appends are held back meanwhile. */
async function rewrite(
  { file, graceSeconds, index, log }: JournalOptions & { index: Index; log: UnitLog },
  nowSeconds: number,
): Promise<number> {
  const before = index.held.size
  const alive = [...index.held.values()].filter(({ entry }) => nowSeconds < keepUntil(entry, graceSeconds))
  if (alive.length === before) return 0
  const target = await createUnitLog(await open(`${file}.new`, 'w+', 0o600))
  const places: Place[] = []
  for (const known of alive) {
    const result = nowSeconds < known.entry.ticket.deadline + marginSeconds ? await readResult(log, known) : undefined
    const { settledBy, ...kept } = known.entry
    const unit: JournalRecord[] = [{ t: 'attested', ...kept, result: result ? toBase64(result) : null }]
    if (settledBy) unit.push({ t: 'settled', requestIds: [kept.requestId], transaction: settledBy })
    places.push(await target.write(unit))
  }
  await target.position().handle.datasync()
  await rename(`${file}.new`, file)
  await syncDirectoryOf(file)
  await log.position().handle.close()
  log.moveTo(target)
  index.clear()
  for (const [at, { entry }] of alive.entries()) {
    index.held.set(entry.requestId, { entry, place: places[at] ?? { offset: 0, length: 0 } })
    index.sequences.set(sequenceKey(entry.ticket.requester, entry.ticket.sequence), entry.requestId)
  }
  return before - alive.length
}

function keepUntil({ ticket, settledBy }: JournalEntry, graceSeconds: number): number {
  return ticket.deadline + (settledBy ? 0 : graceSeconds) + marginSeconds
}

function sequenceKey(requester: Hex, sequence: bigint): string {
  return `${requester.toLowerCase()}:${sequence}`
}
