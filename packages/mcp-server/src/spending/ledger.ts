import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { PeerHostError } from '@peerhost/protocol'
import { acquireFileLock } from './fileLock.ts'
import { genesisHash, type LedgerEvent, parseEntry, sealEntry } from './ledgerEntry.ts'
import { applyEntry, emptyState, type SpendState } from './spendState.ts'

export type LedgerDeps = {
  /** The file; beside it lies its lock, `<path>.lock`. */
  path: string
  /** This run of this server, in every entry it writes. */
  process: string
  nowMs: () => number
}

/** What one transaction adds, and what it answers. */
export type LedgerStep<T> = { events: LedgerEvent[]; result: T }

export type Ledger = {
  /**
   * Runs `step` on the state as it is on disk now, alone among all processes; its events are on disk before it resolves.
   * Throws `config_invalid` when the file is not an unbroken chain: then nobody can say what was spent.
   */
  transact: <T>(step: (state: SpendState, nowMs: number) => LedgerStep<T>) => Promise<T>
}

type Cursor = { offset: number; seq: number; at: number; hash: string; state: SpendState }

const lockTimeoutMs = 10_000

/** Opens the ledger of one wallet: append-only JSON lines, each with the hash of the line before it. */
export function openLedger(deps: LedgerDeps): Ledger {
  mkdirSync(dirname(deps.path), { recursive: true, mode: 0o700 })
  const start = (): Cursor => ({ offset: 0, seq: -1, at: 0, hash: genesisHash, state: emptyState() })
  let cursor = start()
  let queue: Promise<unknown> = Promise.resolve()

  const run = async <T>(step: (state: SpendState, nowMs: number) => LedgerStep<T>): Promise<T> => {
    const release = await acquireFileLock(`${deps.path}.lock`, lockTimeoutMs)
    try {
      const file = openLedgerFile(deps.path)
      try {
        readNewLines(file, deps.path, cursor)
        // Never back in time: a clock that was set back must not open yesterday's budget again.
        const nowMs = Math.max(deps.nowMs(), cursor.at)
        const { events, result } = step(cursor.state, nowMs)
        append(file, deps, cursor, events, nowMs)
        return result
      } catch (error) {
        cursor = start()
        throw error
      } finally {
        closeSync(file)
      }
    } finally {
      release()
    }
  }

  return {
    transact: (step) => {
      const next = queue.then(
        () => run(step),
        () => run(step),
      )
      queue = next
      return next
    },
  }
}

function openLedgerFile(path: string): number {
  const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o600)
  if (fstatSync(file).size === 0) syncDirectory(dirname(path))
  return file
}

function syncDirectory(path: string): void {
  if (process.platform === 'win32') return
  const directory = openSync(path, constants.O_RDONLY)
  fsyncSync(directory)
  closeSync(directory)
}

function readNewLines(file: number, path: string, cursor: Cursor): void {
  const { size } = fstatSync(file)
  if (size < cursor.offset) throw brokenLedger(path, 'it is shorter than it was')
  const bytes = Buffer.alloc(size - cursor.offset)
  for (let read = 0; read < bytes.length; ) {
    const count = readSync(file, bytes, read, bytes.length - read, cursor.offset + read)
    if (count === 0) throw brokenLedger(path, 'it cannot be read to its end')
    read += count
  }
  // A line without its end was never acknowledged: its writer died in the write, before anything was signed for it.
  const complete = bytes.lastIndexOf(0x0a) + 1
  if (complete < bytes.length) ftruncateSync(file, cursor.offset + complete)
  const lines = bytes.subarray(0, complete).toString('utf8').split('\n').slice(0, -1)
  for (const line of lines) {
    const entry = parseEntry(line, cursor)
    if (!entry || !applyEntry(cursor.state, entry)) throw brokenLedger(path, `line ${cursor.seq + 2} does not follow`)
    cursor.seq = entry.seq
    cursor.at = entry.at
    cursor.hash = entry.hash
  }
  cursor.offset += complete
}

function append(file: number, deps: LedgerDeps, cursor: Cursor, events: LedgerEvent[], nowMs: number): void {
  if (events.length === 0) return
  const entries = events.map((event) => {
    const entry = sealEntry({ seq: cursor.seq + 1, at: nowMs, process: deps.process, event, prev: cursor.hash })
    if (!applyEntry(cursor.state, entry))
      throw new PeerHostError('internal', `The event ${event.type} does not fit the call it is for.`)
    cursor.seq = entry.seq
    cursor.at = entry.at
    cursor.hash = entry.hash
    return entry
  })
  const bytes = Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))
  if (writeSync(file, bytes) !== bytes.length) throw brokenLedger(deps.path, 'the disk took only a part of a line')
  fsyncSync(file)
  cursor.offset += bytes.length
}

function brokenLedger(path: string, what: string): PeerHostError {
  return new PeerHostError('config_invalid', 'The spending ledger cannot be trusted, so nothing is paid.', {
    details: [`${path}: ${what}.`],
    hint: 'Keep the file for your records, then restore it from a backup or move it away; moving it away resets what counts as spent.',
  })
}
