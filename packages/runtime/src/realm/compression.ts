import type { TransformStream } from 'web-streams-polyfill'
import { join } from './blob.ts'
import type { Bridge } from './bridge.ts'
import { bytesOf } from './encoding.ts'
import { streams } from './streams.ts'

const formats = ['deflate', 'deflate-raw', 'gzip']

/** `CompressionStream` and `DecompressionStream`. All bytes come out at the end: a function's data is small. */
export function createCompression(bridge: Pick<Bridge, 'compress' | 'take'>) {
  const streamOf = (format: unknown, inflate: boolean) => {
    const name = String(format)
    if (!formats.includes(name)) throw new TypeError(`Unsupported compression format: '${name}'`)
    const pieces: Uint8Array[] = []
    const { TransformStream } = streams()
    return new TransformStream<unknown, Uint8Array>({
      transform: (chunk) => void pieces.push(bytesOf(chunk).slice()),
      flush(controller) {
        const length = bridge.compress(name, inflate, join(pieces))
        if (length < 0) throw new TypeError('The compressed data was not valid.')
        const bytes = new Uint8Array(length)
        bridge.take(bytes)
        controller.enqueue(bytes)
      },
    })
  }
  return { CompressionStream: pairClass(streamOf, false), DecompressionStream: pairClass(streamOf, true) }
}

function pairClass(streamOf: (format: unknown, inflate: boolean) => TransformStream, inflate: boolean) {
  return class {
    readonly readable: TransformStream['readable']
    readonly writable: TransformStream['writable']
    constructor(format: unknown) {
      const { readable, writable } = streamOf(format, inflate)
      this.readable = readable
      this.writable = writable
    }
  }
}

/** `TextEncoderStream` and `TextDecoderStream`. */
export function createTextStreams(
  TextEncoder: new () => { encode: (text: string) => Uint8Array },
  TextDecoder: new (
    label?: string,
    options?: object,
  ) => { encoding: string; decode: (bytes?: Uint8Array, options?: { stream: boolean }) => string },
) {
  const { TransformStream } = streams()
  class TextEncoderStream extends TransformStream<string, Uint8Array> {
    readonly encoding = 'utf-8'
    constructor() {
      const encoder = new TextEncoder()
      // Half of a character, whose other half may begin the next chunk.
      let half = ''
      const pass = (text: string, controller: { enqueue: (bytes: Uint8Array) => void }) =>
        void (text !== '' && controller.enqueue(encoder.encode(text)))
      super({
        transform: (chunk, controller) => {
          const text = `${half}${chunk}`
          half = /[\ud800-\udbff]$/.exec(text)?.[0] ?? ''
          pass(half === '' ? text : text.slice(0, -1), controller)
        },
        flush: (controller) => pass(half, controller),
      })
    }
  }
  class TextDecoderStream extends TransformStream<unknown, string> {
    readonly encoding: string
    constructor(label?: string, options?: object) {
      const decoder = new TextDecoder(label, options)
      const pass = (text: string, controller: { enqueue: (text: string) => void }) =>
        text !== '' && controller.enqueue(text)
      super({
        transform: (chunk, controller) => void pass(decoder.decode(bytesOf(chunk), { stream: true }), controller),
        flush: (controller) => void pass(decoder.decode(), controller),
      })
      this.encoding = decoder.encoding
    }
  }
  return { TextEncoderStream, TextDecoderStream }
}
