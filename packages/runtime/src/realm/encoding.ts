import { needArguments } from './arguments.ts'
import type { Bridge } from './bridge.ts'
import { DOMException } from './events.ts'

export type ByteSource = ArrayBuffer | SharedArrayBuffer | ArrayBufferView

/** The bytes of a buffer or a view, not copied. Throws a `TypeError` for anything else. */
export function bytesOf(source: unknown): Uint8Array {
  if (ArrayBuffer.isView(source)) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
  if (source instanceof ArrayBuffer || source instanceof SharedArrayBuffer) return new Uint8Array(source)
  throw new TypeError('The value is neither an ArrayBuffer nor a view of one.')
}

export type Encoding = ReturnType<typeof createEncoding>

/** `TextEncoder`, `TextDecoder`, `atob` and `btoa`, and the two functions that the realm itself uses. */
export function createEncoding(bridge: Bridge) {
  const toUtf8 = (text: string): Uint8Array<ArrayBuffer> => {
    const bytes = new Uint8Array(bridge.utf8Length(text))
    bridge.encode(text, bytes)
    return bytes
  }
  const utf8 = bridge.openDecoder('utf-8', false, false)
  const fromUtf8 = (bytes: Uint8Array): string => bridge.decode(utf8, bytes, false) ?? ''
  return {
    toUtf8,
    fromUtf8,
    TextEncoder: encoderClass(toUtf8),
    TextDecoder: decoderClass(bridge),
    atob(...values: unknown[]) {
      needArguments('atob', values.length, 1)
      return latin1(fromBase64(String(values[0])))
    },
    btoa(...values: unknown[]) {
      needArguments('btoa', values.length, 1)
      return toBase64(fromLatin1(String(values[0])))
    },
  }
}

function encoderClass(toUtf8: (text: string) => Uint8Array<ArrayBuffer>) {
  return class TextEncoder {
    get encoding() {
      return 'utf-8'
    }
    encode(text: unknown = ''): Uint8Array {
      return toUtf8(String(text))
    }
    encodeInto(text: string, target: Uint8Array): { read: number; written: number } {
      let read = 0
      let written = 0
      for (const character of String(text)) {
        const bytes = toUtf8(character)
        if (written + bytes.length > target.length) break
        target.set(bytes, written)
        written += bytes.length
        read += character.length
      }
      return { read, written }
    }
  }
}

function decoderClass(bridge: Bridge) {
  return class TextDecoder {
    #decoder: number
    readonly encoding: string
    readonly fatal: boolean
    readonly ignoreBOM: boolean
    constructor(label: unknown = 'utf-8', options: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
      this.fatal = Boolean(options?.fatal)
      this.ignoreBOM = Boolean(options?.ignoreBOM)
      this.#decoder = bridge.openDecoder(String(label), this.fatal, this.ignoreBOM)
      if (this.#decoder < 0) throw new RangeError(`The "${String(label)}" encoding is not supported`)
      this.encoding = bridge.encodingOf(this.#decoder)
    }
    decode(source?: ByteSource, options: { stream?: boolean } = {}): string {
      const bytes = source === undefined ? new Uint8Array(0) : bytesOf(source)
      const text = bridge.decode(this.#decoder, bytes, Boolean(options?.stream))
      if (text === undefined) throw new TypeError(`The encoded data was not valid for encoding ${this.encoding}`)
      return text
    }
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const digits = new Uint8Array(128).fill(255)
for (let index = 0; index < 64; index += 1) digits[alphabet.charCodeAt(index)] = index

export function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b = 0, c = 0] = [bytes[at], bytes[at + 1], bytes[at + 2]]
    const left = bytes.length - at
    text += alphabet.charAt(a >> 2) + alphabet.charAt(((a & 3) << 4) | (b >> 4))
    text += left > 1 ? alphabet.charAt(((b & 15) << 2) | (c >> 6)) : '='
    text += left > 2 ? alphabet.charAt(c & 63) : '='
  }
  return text
}

/** Forgiving base64, as the web decodes it. Throws `InvalidCharacterError`. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const compact = text.replace(/[\t\n\f\r ]/g, '')
  const data = compact.length % 4 === 0 ? compact.replace(/={1,2}$/, '') : compact
  const bytes = new Uint8Array(Math.floor((data.length * 3) / 4))
  let bits = 0
  let count = 0
  let written = 0
  for (let at = 0; at < data.length; at += 1) {
    const digit = digits[data.charCodeAt(at)] ?? 255
    if (digit === 255) throw badBase64()
    bits = ((bits << 6) | digit) & 0xff_ffff
    count += 6
    if (count < 8) continue
    count -= 8
    bytes[written] = (bits >> count) & 255
    written += 1
  }
  if (data.length % 4 === 1) throw badBase64()
  return bytes
}

function badBase64(): DOMException {
  return new DOMException('The string to be decoded is not correctly encoded.', 'InvalidCharacterError')
}

const piece = 8_192

export function latin1(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += piece) text += String.fromCharCode(...bytes.subarray(at, at + piece))
  return text
}

function fromLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code > 255) throw new DOMException('Invalid character', 'InvalidCharacterError')
    bytes[at] = code
  }
  return bytes
}
