import canonicalize from 'canonicalize'
import { PeerHostError } from './errors.ts'

/** What two languages cannot disagree on: no floats, no lone surrogates, no `undefined`. */
export type CanonicalValue =
  | string
  | number
  | boolean
  | null
  | readonly CanonicalValue[]
  | { readonly [key: string]: CanonicalValue }

const encoder = new TextEncoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * RFC 8785 JSON of `value`, as UTF-8 bytes.
 * Throws `request_invalid` for a number that is not a safe integer and for a string with a lone surrogate.
 */
export function encodeCanonicalJson(value: CanonicalValue): Uint8Array {
  assertCanonicalValue(value, '$')
  const text = canonicalize(value)
  if (text === undefined) throw new PeerHostError('request_invalid', 'The value has no canonical JSON.')
  return encoder.encode(text)
}

/**
 * Parses canonical JSON and accepts it only when encoding the value again gives the same bytes: one value, one spelling.
 * Duplicate keys, white space, other escapes and other key orders are all refused by that one comparison.
 */
export function decodeCanonicalJson(bytes: Uint8Array): CanonicalValue {
  let value: CanonicalValue
  try {
    value = JSON.parse(strictDecoder.decode(bytes)) as CanonicalValue
  } catch (cause) {
    throw new PeerHostError('request_invalid', 'The bytes are not JSON in UTF-8.', { cause })
  }
  if (!sameBytes(encodeCanonicalJson(value), bytes)) {
    throw new PeerHostError('request_invalid', 'The bytes are JSON, but not in canonical form (RFC 8785).')
  }
  return value
}

/** True when both hold the same bytes. Not constant-time: nothing secret is compared with it. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

function assertCanonicalValue(value: unknown, path: string): void {
  if (typeof value === 'string') {
    if (!value.isWellFormed())
      throw new PeerHostError('request_invalid', 'A string holds a lone surrogate.', { details: [path] })
  } else if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      throw new PeerHostError('request_invalid', 'A number is not a safe integer.', { details: [path] })
    }
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) assertCanonicalValue(item, `${path}[${index}]`)
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      assertCanonicalValue(key, `${path}: a key`)
      assertCanonicalValue(item, `${path}.${key}`)
    }
  } else if (typeof value !== 'boolean' && value !== null) {
    throw new PeerHostError('request_invalid', `A ${typeof value} has no canonical JSON.`, { details: [path] })
  }
}
