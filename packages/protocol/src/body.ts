import { PeerHostError } from './errors.ts'

/** A body in canonical JSON: `utf8` if and only if the bytes are strictly valid UTF-8, so each byte string has one spelling. */
export type CanonicalBody = { readonly utf8: string } | { readonly base64: string }

const encoder = new TextEncoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bytes → canonical body. A leading BOM is content and is kept. */
export function encodeBody(bytes: Uint8Array): CanonicalBody {
  try {
    return { utf8: strictDecoder.decode(bytes) }
  } catch {
    return { base64: toBase64(bytes) }
  }
}

/** Canonical body → the exact bytes. Throws `request_invalid` when UTF-8 text was sent as base64 or the base64 is not canonical. */
export function decodeBody(body: CanonicalBody): Uint8Array {
  if ('utf8' in body) return encoder.encode(body.utf8)
  const bytes = fromBase64(body.base64)
  if ('utf8' in encodeBody(bytes))
    throw new PeerHostError('request_invalid', 'A body of valid UTF-8 was sent as base64.')
  return bytes
}

/** Standard base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (let start = 0; start < bytes.length; start += 32_768)
    binary += String.fromCharCode(...bytes.subarray(start, start + 32_768))
  return btoa(binary)
}

/** The bytes of standard base64. Throws `request_invalid` for any other spelling of them. */
export function fromBase64(text: string): Uint8Array {
  let bytes: Uint8Array
  try {
    bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
  } catch (cause) {
    throw new PeerHostError('request_invalid', 'The text is not base64.', { cause })
  }
  if (toBase64(bytes) !== text) throw new PeerHostError('request_invalid', 'The base64 is not in its canonical form.')
  return bytes
}
