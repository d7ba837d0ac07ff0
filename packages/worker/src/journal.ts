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
import type { SignedCommitSet } from './chain/coordinator.ts'
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
  /** The request's salt: shown with an output on chain. */
  inputSalt?: Hex | undefined
  /** Hides the result until it is opened; only where a commitment comes first. */
  commitmentSalt?: Hex | undefined
  /** The first commit set of this request that its requester signed: nothing is opened against another one. */
  commitSet?: SignedCommitSet | undefined
  /** A second, different one: evidence against the requester. */
  rivalSet?: SignedCommitSet | undefined
  /** The transaction that is said to have settled it. */
  settledBy?: Hex | undefined
}

/** A juror's vote, as it was or will be committed. Seal, outcome and status are zero unless it is a result. */
export type JournalVote = {
  caseId: Hex
  jury: number
  vote: number
  resultSeal: Hex
  outcome: number
  status: number
  salt: Hex
  /** Seconds since 1970 after which nobody asks for it. */
  keepUntil: number
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
  /** True once the disk failed: nothing more can be attested in this process. Also while it is full. */
  isBroken: () => boolean
  /** Looks whether a disk that was full has room again. */
  mend: () => Promise<void>
  /** Notes a settlement, or with `undefined` that it is no longer on chain. */
  markSettled: (requestIds: readonly Hex[], transaction: Hex | undefined) => Promise<void>
  /** Makes a commit set durable. Gives back the one that counts: the first for this request. */
  keepSet: (requestId: Hex, set: SignedCommitSet) => Promise<SignedCommitSet>
  keepRival: (requestId: Hex, set: SignedCommitSet) => Promise<void>
  voteOf: (caseId: Hex, jury: number) => JournalVote | undefined
  /** Makes a vote durable before it is committed. Gives back the one that counts: the first of this jury. */
  vote: (vote: JournalVote) => Promise<JournalVote>
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
type KeptLater = 'settledBy' | 'commitSet' | 'rivalSet'
type JournalRecord =
  | ({ t: 'attested'; result: string | null } & Omit<JournalEntry, KeptLater>)
  | { t: 'settled'; requestIds: readonly Hex[]; transaction: Hex | null }
  | ({ t: 'set'; requestId: Hex } & SignedCommitSet)
  | ({ t: 'rival'; requestId: Hex } & SignedCommitSet)
  | ({ t: 'vote' } & JournalVote)

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
      inputSalt: hex.optional(),
      commitmentSalt: hex.optional(),
      result: z.string().nullable(),
    }),
    z.object({ t: z.literal('settled'), requestIds: z.array(hex), transaction: hex.nullable() }),
    z.object({ t: z.literal('set'), requestId: hex, commitments: z.array(hex), signature: hex }),
    z.object({ t: z.literal('rival'), requestId: hex, commitments: z.array(hex), signature: hex }),
    z.object({
      t: z.literal('vote'),
      caseId: hex,
      jury: z.int(),
      vote: z.int(),
      resultSeal: hex,
      outcome: z.int(),
      status: z.int(),
      salt: hex,
      keepUntil: z.int(),
    }),
  ]),
)

/** Opens the journal, creating it when it is not there. Throws `internal` when it is damaged. */
export async function openJournal({ file, graceSeconds }: JournalOptions): Promise<Journal> {
  await mkdir(dirname(file), { recursive: true })
  await rm(`${file}.new`, { force: true })
  const index = createIndex()
  const log = await openLog(file, index)
  const once = createOnce()

  async function append(record: JournalRecord): Promise<void> {
    index.apply(record, await log.append(record))
  }

  async function attest(entry: JournalEntry, result: Uint8Array): Promise<JournalEntry> {
    await append({ t: 'attested', ...signedPart(entry), result: toBase64(result) })
    return index.held.get(entry.requestId)?.entry ?? entry
  }

  return {
    get: (requestId) => index.held.get(requestId)?.entry,
    entries: () => [...index.held.values()].map(({ entry }) => entry),
    requestOfSequence: (requester, sequence) => index.sequences.get(sequenceKey(requester, sequence)),
    readResult: (requestId) => log.exclusive(() => readResult(log, index.held.get(requestId))),
    attest: (entry, result) =>
      once(
        `attested:${entry.requestId}`,
        () => index.held.get(entry.requestId)?.entry,
        () => attest(entry, result),
      ),
    isBroken: log.isBroken,
    mend: log.mend,
    markSettled: (requestIds, transaction) => append({ t: 'settled', requestIds, transaction: transaction ?? null }),
    keepSet: (requestId, set) =>
      once(
        `set:${requestId}`,
        () => index.held.get(requestId)?.entry.commitSet,
        () => append({ t: 'set', requestId, ...set }).then(() => set),
      ),
    keepRival: (requestId, set) => append({ t: 'rival', requestId, ...set }),
    voteOf: (caseId, jury) => index.votes.get(voteKey(caseId, jury)),
    vote: (vote) =>
      once(
        `vote:${voteKey(vote.caseId, vote.jury)}`,
        () => index.votes.get(voteKey(vote.caseId, vote.jury)),
        () => append({ t: 'vote', ...vote }).then(() => vote),
      ),
    compact: (nowSeconds) => log.exclusive(() => rewrite({ file, graceSeconds, index, log }, nowSeconds)),
    close: () => log.exclusive(() => log.position().handle.close()),
  }
}

type Index = {
  held: Map<Hex, Held>
  sequences: Map<string, Hex>
  votes: Map<string, JournalVote>
  /** The first record of its kind counts, except for settlements. */
  apply: (record: JournalRecord, place: Place) => void
}

function createIndex(): Index {
  const held = new Map<Hex, Held>()
  const sequences = new Map<string, Hex>()
  const votes = new Map<string, JournalVote>()
  function apply(record: JournalRecord, place: Place): void {
    if (record.t === 'settled') {
      for (const id of record.requestIds) {
        const known = held.get(id)
        if (known) known.entry.settledBy = record.transaction ?? undefined
      }
    } else if (record.t === 'vote') {
      const { t: _, ...vote } = record
      const key = voteKey(vote.caseId, vote.jury)
      if (!votes.has(key)) votes.set(key, vote)
    } else if (record.t === 'set' || record.t === 'rival') {
      const { t, requestId, commitments, signature } = record
      const known = held.get(requestId)?.entry
      const member = t === 'set' ? 'commitSet' : 'rivalSet'
      if (known) known[member] ??= { commitments, signature }
    } else if (!held.has(record.requestId)) {
      const { t: _, result: __, ...entry } = record
      held.set(entry.requestId, { entry, place })
      sequences.set(sequenceKey(entry.ticket.requester, entry.ticket.sequence), entry.requestId)
    }
  }
  return { held, sequences, votes, apply }
}

/** What is asked several times at once is done once: the first call's value counts. */
function createOnce() {
  const running = new Map<string, Promise<unknown>>()
  return <T>(key: string, known: () => T | undefined, act: () => Promise<T>): Promise<T> => {
    const value = known()
    if (value !== undefined) return Promise.resolve(value)
    const underWay = running.get(key) as Promise<T> | undefined
    if (underWay) return underWay
    const promise = act().finally(() => running.delete(key))
    running.set(key, promise)
    return promise
  }
}

function signedPart({ settledBy: _, commitSet: __, rivalSet: ___, ...signed }: JournalEntry) {
  return signed
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
  const votes = [...index.votes.values()].filter((vote) => nowSeconds < vote.keepUntil + marginSeconds)
  const handle = await open(`${file}.new`, 'w+', 0o600)
  const target = await createUnitLog(handle)
  const places: Place[] = []
  try {
    for (const known of alive) {
      const result = nowSeconds < known.entry.ticket.deadline + marginSeconds ? await readResult(log, known) : undefined
      places.push(await target.write(unitOf(known.entry, result)))
    }
    if (votes.length > 0) await target.write(votes.map((vote) => ({ t: 'vote', ...vote })))
    await handle.datasync()
  } catch (error) {
    // On a disk that is full, half a copy is what is most in the way.
    await handle.close()
    await rm(`${file}.new`, { force: true })
    throw error
  }
  await rename(`${file}.new`, file)
  await syncDirectoryOf(file)
  await log.position().handle.close()
  log.moveTo(target)
  index.held.clear()
  index.sequences.clear()
  index.votes.clear()
  for (const vote of votes) index.votes.set(voteKey(vote.caseId, vote.jury), vote)
  for (const [at, { entry }] of alive.entries()) {
    index.held.set(entry.requestId, { entry, place: places[at] ?? { offset: 0, length: 0 } })
    index.sequences.set(sequenceKey(entry.ticket.requester, entry.ticket.sequence), entry.requestId)
  }
  return before - alive.length
}

function unitOf(entry: JournalEntry, result: Uint8Array | undefined): JournalRecord[] {
  const { settledBy, commitSet, rivalSet, requestId } = entry
  const unit: JournalRecord[] = [{ t: 'attested', ...signedPart(entry), result: result ? toBase64(result) : null }]
  if (commitSet) unit.push({ t: 'set', requestId, ...commitSet })
  if (rivalSet) unit.push({ t: 'rival', requestId, ...rivalSet })
  if (settledBy) unit.push({ t: 'settled', requestIds: [requestId], transaction: settledBy })
  return unit
}

function keepUntil({ ticket, settledBy }: JournalEntry, graceSeconds: number): number {
  return ticket.deadline + (settledBy ? 0 : graceSeconds) + marginSeconds
}

function voteKey(caseId: Hex, jury: number): string {
  return `${caseId.toLowerCase()}:${jury}`
}

function sequenceKey(requester: Hex, sequence: bigint): string {
  return `${requester.toLowerCase()}:${sequence}`
}
