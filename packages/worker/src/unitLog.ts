import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { PeerHostError } from '@peerhost/protocol'

/** Where a unit stands in its file, in bytes; the line end is not counted. */
export type Place = { offset: number; length: number }

/**
 * Appends records to a file as units: one line each, `checksum json`. What is appended while a write is under way goes
 * into the next unit, so that many records share one fsync.
 */
export type UnitLog = {
  /**
   * Resolves when the record is durable. Rejects with `disk_full` when there is no room, and nothing of it stays. Once a
   * write or fsync failed otherwise, every append fails: what is on disk is unknown.
   */
  append: (record: unknown) => Promise<Place>
  /** Writes one unit without making it durable. */
  write: (records: readonly unknown[]) => Promise<Place>
  /** Runs `action` while no append is under way. */
  exclusive: <T>(action: () => Promise<T>) => Promise<T>
  /** Goes on in another file. Only inside `exclusive`. */
  moveTo: (target: UnitLog) => void
  /** True once a write or fsync failed, and while the disk is full. */
  isBroken: () => boolean
  /** Looks whether a disk that was full has room again. Never throws. */
  mend: () => Promise<void>
  /** The file and its size. */
  position: () => { handle: FileHandle; size: number }
}

type Waiting = { record: unknown; resolve: (place: Place) => void; reject: (error: unknown) => void }

const chunkBytes = 1_048_576
/** Less room than this is none. */
const roomBytes = 1_048_576
const lineEnd = 0x0a

/** Continues at the end of the file. */
export async function createUnitLog(file: FileHandle): Promise<UnitLog> {
  let handle = file
  let size = (await handle.stat()).size
  let waiting: Waiting[] = []
  let broken: unknown
  let isFull = false
  let tail: Promise<unknown> = Promise.resolve()

  function exclusive<T>(action: () => Promise<T>): Promise<T> {
    const run = tail.then(action)
    tail = run.catch(() => {})
    return run
  }

  async function write(records: readonly unknown[]): Promise<Place> {
    const line = encodeUnit(records)
    const place = { offset: size, length: line.length - 1 }
    await writeFully(handle, line, size)
    size += line.length
    return place
  }

  async function flush(): Promise<void> {
    const batch = waiting
    waiting = []
    const before = size
    try {
      if (broken) throw broken
      const place = await write(batch.map(({ record }) => record))
      await handle.datasync()
      for (const { resolve } of batch) resolve(place)
    } catch (cause) {
      const failure = await failureOf(cause, before)
      for (const { reject } of batch) reject(failure)
    }
  }

  /** A write that found no room is taken back: what was durable before it is all that there is. */
  async function failureOf(cause: unknown, before: number): Promise<unknown> {
    if (!broken && isDiskFull(cause) && size === before && (await succeeds(handle.truncate(size)))) {
      isFull = true
      return diskFull(cause)
    }
    broken ??= new PeerHostError('internal', 'The journal cannot be written.', {
      cause,
      hint: 'Make room on the disk or mend it, then start the worker again.',
    })
    return broken
  }

  async function mend(): Promise<void> {
    if (broken || !isFull) return
    isFull = !(await hasRoomAt(handle, size))
    // Zeros without a line's end are a torn unit, should the process end here.
    await handle.truncate(size).catch((cause: unknown) => failureOf(cause, -1))
  }

  return {
    append: (record) =>
      new Promise((resolve, reject) => {
        waiting.push({ record, resolve, reject })
        if (waiting.length === 1) void exclusive(flush)
      }),
    write,
    exclusive,
    moveTo: (target) => {
      const next = target.position()
      handle = next.handle
      size = next.size
    },
    isBroken: () => broken !== undefined || isFull,
    mend: () => exclusive(mend),
    position: () => ({ handle, size }),
  }
}

/**
 * Every unit of a file in order. A torn last unit is cut off; a damaged one before it throws `internal`.
 */
export async function* readUnits(handle: FileHandle, name: string): AsyncGenerator<{ records: unknown; place: Place }> {
  let rest = Buffer.alloc(0)
  let offset = 0
  let read = 0
  let torn: number | undefined
  for (;;) {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(chunkBytes), 0, chunkBytes, read)
    if (bytesRead === 0) break
    read += bytesRead
    rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)])
    for (let end = rest.indexOf(lineEnd); end !== -1; end = rest.indexOf(lineEnd)) {
      if (torn !== undefined) throw damaged(name, torn)
      const records = decodeUnit(rest.subarray(0, end))
      if (records === undefined) torn = offset
      else yield { records, place: { offset, length: end } }
      offset += end + 1
      rest = rest.subarray(end + 1)
    }
  }
  if (torn !== undefined && rest.length > 0) throw damaged(name, torn)
  const whole = torn ?? offset
  if (whole === read) return
  await handle.truncate(whole)
  await handle.sync()
}

/** One unit again. Throws `internal` when it is not what was written. */
export async function readUnit(handle: FileHandle, { offset, length }: Place): Promise<unknown> {
  const buffer = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, offset + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  const records = decodeUnit(buffer)
  if (records === undefined) throw damaged('the journal', offset)
  return records
}

/** Makes a new or renamed file's name durable. */
export async function syncDirectoryOf(file: string): Promise<void> {
  const directory = await open(dirname(file), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

async function writeFully(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, position + written)
    written += bytesWritten
  }
}

async function hasRoomAt(handle: FileHandle, position: number): Promise<boolean> {
  return succeeds(writeFully(handle, Buffer.alloc(roomBytes), position).then(() => handle.datasync()))
}

function succeeds(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => true,
    () => false,
  )
}

function diskFull(cause: unknown): PeerHostError {
  return new PeerHostError('disk_full', 'The journal has no room on its disk.', {
    cause,
    hint: 'Make room on the disk of PEERHOST_DATA_DIR: the worker then takes jobs again by itself.',
  })
}

function isDiskFull(cause: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes((cause as NodeJS.ErrnoException | undefined)?.code ?? '')
}

function encodeUnit(records: readonly unknown[]): Buffer {
  const json = JSON.stringify(records, (_, value) => (typeof value === 'bigint' ? value.toString() : value))
  return Buffer.from(`${checksum(json)} ${json}\n`)
}

function decodeUnit(line: Buffer): unknown {
  const text = line.toString('utf8')
  const json = text.slice(17)
  if (text[16] !== ' ' || text.slice(0, 16) !== checksum(json)) return undefined
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

function checksum(json: string): string {
  return createHash('sha256').update(json).digest('hex').slice(0, 16)
}

function damaged(name: string, offset: number): PeerHostError {
  return new PeerHostError('internal', 'The journal is damaged before its end.', {
    details: [`File: ${name}`, `Byte: ${offset}`],
    hint: 'Restore the file, or move it away and give the operator a new execution key: the old key may have signed results that are lost.',
  })
}
