import type * as Streams from 'web-streams-polyfill'

declare const require: (id: 'web-streams-polyfill') => typeof Streams

/** The classes of the Streams standard that a realm has. */
export const streamClasses = [
  'ByteLengthQueuingStrategy',
  'CountQueuingStrategy',
  'ReadableByteStreamController',
  'ReadableStream',
  'ReadableStreamBYOBReader',
  'ReadableStreamDefaultController',
  'ReadableStreamDefaultReader',
  'TransformStream',
  'WritableStream',
  'WritableStreamDefaultController',
  'WritableStreamDefaultWriter',
] as const

let loaded: typeof Streams | undefined
const disturbed = new WeakSet<object>()

/** The streams of this realm, made when something first asks: to make them costs as much as all the rest of a realm. */
export function streams(): typeof Streams {
  if (!loaded) {
    loaded = require('web-streams-polyfill')
    markDisturbed(loaded.ReadableStream.prototype)
  }
  return loaded
}

export function isReadableStream(value: unknown): value is Streams.ReadableStream {
  return loaded !== undefined && value instanceof loaded.ReadableStream
}

/** Whether somebody read from a stream or cancelled it, which the standard knows and no property tells. */
export function isDisturbed(stream: Streams.ReadableStream | null | undefined): boolean {
  return stream ? disturbed.has(stream) : false
}

/** A stream of these bytes; nothing when there are none. */
export function streamOf(bytes: Uint8Array): Streams.ReadableStream<Uint8Array> {
  const { ReadableStream } = streams()
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (bytes.length > 0) controller.enqueue(bytes)
      controller.close()
    },
  })
}

function markDisturbed(readable: object): void {
  const prototype = readable as Record<string, ((this: object, ...values: never[]) => unknown) | undefined>
  for (const name of ['cancel', 'getReader', 'pipeThrough', 'pipeTo', 'tee', 'values']) {
    const method = prototype[name]
    if (!method) continue
    const value = function (this: object, ...values: never[]) {
      disturbed.add(this)
      return method.apply(this, values)
    }
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true })
  }
}
