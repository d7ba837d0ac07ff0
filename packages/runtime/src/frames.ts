/**
 * How the parts of the sandbox talk over pipes: 4 bytes length of the header, 4 bytes length of the body (both big-endian),
 * the header as JSON object, the body as it is. A reader says how much it accepts before it takes a byte.
 */

/** One message: a small JSON object, and bytes that are never put into JSON. */
export type Frame = { readonly header: FrameHeader; readonly body: Uint8Array }
export type FrameHeader = { readonly [key: string]: unknown }

/** What a reader accepts. Anything larger ends the conversation. */
export type FrameLimits = { readonly headerBytes: number; readonly bodyBytes: number }

/** Bytes before the header. */
export const framePrefixBytes = 8

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true })
const nothing = new Uint8Array(0)

/** A frame as one piece of bytes. */
export function encodeFrame(header: object, body: Uint8Array = nothing): Uint8Array {
  const head = encoder.encode(JSON.stringify(header))
  const bytes = new Uint8Array(framePrefixBytes + head.length + body.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, head.length)
  view.setUint32(4, body.length)
  bytes.set(head, framePrefixBytes)
  bytes.set(body, framePrefixBytes + head.length)
  return bytes
}

/** The two lengths of a frame. Throws when one is over its limit or the header is empty. */
export function readFramePrefix(
  prefix: Uint8Array,
  limits: FrameLimits,
): { readonly headerBytes: number; readonly bodyBytes: number } {
  const view = new DataView(prefix.buffer, prefix.byteOffset, framePrefixBytes)
  const headerBytes = view.getUint32(0)
  const bodyBytes = view.getUint32(4)
  if (headerBytes < 2 || headerBytes > limits.headerBytes)
    throw new Error(`A frame header of ${headerBytes} bytes is not between 2 and ${limits.headerBytes}.`)
  if (bodyBytes > limits.bodyBytes)
    throw new Error(`A frame body of ${bodyBytes} bytes is larger than ${limits.bodyBytes}.`)
  return { headerBytes, bodyBytes }
}

/** Header and body of a frame whose bytes are all there. Throws unless the header is a JSON object in UTF-8. */
export function readFramePayload(payload: Uint8Array, headerBytes: number): Frame {
  const header: unknown = JSON.parse(decoder.decode(payload.subarray(0, headerBytes)))
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw new Error('A frame header is not an object.')
  return { header: header as FrameHeader, body: payload.subarray(headerBytes) }
}

/**
 * Reads frames out of chunks of any size. `push` returns the frames that are complete and throws at the first byte that
 * breaks a rule; after that the decoder refuses everything.
 */
export function createFrameDecoder(limits: FrameLimits): { push: (chunk: Uint8Array) => Frame[] } {
  const prefix = new Uint8Array(framePrefixBytes)
  let prefixFilled = 0
  let payload: Uint8Array | undefined
  let payloadFilled = 0
  let headerBytes = 0
  let broken = false

  function take(chunk: Uint8Array, frames: Frame[]): Uint8Array {
    if (!payload) {
      const taken = chunk.subarray(0, framePrefixBytes - prefixFilled)
      prefix.set(taken, prefixFilled)
      prefixFilled += taken.length
      if (prefixFilled < framePrefixBytes) return nothing
      const lengths = readFramePrefix(prefix, limits)
      headerBytes = lengths.headerBytes
      payload = new Uint8Array(lengths.headerBytes + lengths.bodyBytes)
      payloadFilled = 0
      return chunk.subarray(taken.length)
    }
    const taken = chunk.subarray(0, payload.length - payloadFilled)
    payload.set(taken, payloadFilled)
    payloadFilled += taken.length
    if (payloadFilled === payload.length) {
      frames.push(readFramePayload(payload, headerBytes))
      payload = undefined
      prefixFilled = 0
    }
    return chunk.subarray(taken.length)
  }

  return {
    push(chunk) {
      if (broken) throw new Error('The frames before this one were broken.')
      const frames: Frame[] = []
      broken = true
      for (let rest = chunk; rest.length > 0; ) rest = take(rest, frames)
      broken = false
      return frames
    },
  }
}
