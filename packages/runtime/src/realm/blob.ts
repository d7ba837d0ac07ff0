import type { ReadableStream } from 'web-streams-polyfill'
import { needArguments } from './arguments.ts'
import { type ByteSource, bytesOf, type Encoding } from './encoding.ts'
import { streamOf } from './streams.ts'

export type Blob = { readonly size: number; readonly type: string; text: () => Promise<string> }
export type File = Blob & { readonly name: string; readonly lastModified: number }
type BlobOptions = { type?: string; endings?: string }
type BlobPart = string | ByteSource | Blob

/** `Blob` and `File`, whose bytes are in memory. */
export function createBlob({ toUtf8, fromUtf8 }: Pick<Encoding, 'toUtf8' | 'fromUtf8'>, now: () => number) {
  class Blob {
    #bytes: Uint8Array<ArrayBuffer>
    readonly type: string
    constructor(parts: Iterable<BlobPart> = [], options: BlobOptions = {}) {
      if (typeof parts !== 'object' && typeof parts !== 'function') throw new TypeError('The parts must be a sequence.')
      const isNative = options?.endings === 'native'
      const pieces = [...parts].map((part) => readPart(isNative && !isBytes(part) ? toNative(part) : part))
      this.#bytes = join(pieces)
      const type = String(options?.type ?? '')
      this.type = /[^\u0020-\u007e]/.test(type) ? '' : type.toLowerCase()
    }
    get size(): number {
      return this.#bytes.length
    }
    slice(start = 0, end = this.size, type = ''): Blob {
      return new Blob([this.#bytes.slice(start, end)], { type })
    }
    async arrayBuffer(): Promise<ArrayBuffer> {
      return this.#bytes.slice().buffer
    }
    async bytes(): Promise<Uint8Array> {
      return this.#bytes.slice()
    }
    async text(): Promise<string> {
      return fromUtf8(this.#bytes)
    }
    stream(): ReadableStream<Uint8Array> {
      return streamOf(this.#bytes.slice())
    }
    /** For the realm itself: the bytes without a promise. */
    static read(blob: object): Uint8Array<ArrayBuffer> {
      return (blob as Blob).#bytes
    }
  }
  const { read } = Blob
  Reflect.deleteProperty(Blob, 'read')

  class File extends Blob {
    readonly name: string
    readonly lastModified: number
    constructor(...values: [Iterable<BlobPart>, string, (BlobOptions & { lastModified?: number })?]) {
      needArguments('File', values.length, 2)
      const [parts, name, options = {}] = values
      super(parts, options)
      this.name = String(name)
      this.lastModified = options?.lastModified ?? now()
    }
  }
  const isBytes = (part: BlobPart) =>
    part instanceof Blob || ArrayBuffer.isView(part) || (part as unknown) instanceof ArrayBuffer
  const toNative = (part: BlobPart) => String(part).replace(/\r\n?/g, '\n')
  const readPart = (part: BlobPart): Uint8Array => {
    if (part instanceof Blob) return read(part)
    if (typeof part === 'object' && part !== null && (ArrayBuffer.isView(part) || part instanceof ArrayBuffer))
      return bytesOf(part)
    return toUtf8(String(part).toWellFormed())
  }
  return { Blob, File, bytesOfBlob: read }
}

/** All pieces in one array. */
export function join(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(pieces.reduce((length, { length: more }) => length + more, 0))
  let at = 0
  for (const piece of pieces) {
    joined.set(piece, at)
    at += piece.length
  }
  return joined
}
