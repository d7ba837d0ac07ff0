import { type Hex, keccak256 } from 'viem'
import { z } from 'zod'
import { fromBase64, toBase64 } from './body.ts'
import { decodeCanonicalJson, encodeCanonicalJson, sameBytes } from './canonicalJson.ts'
import type { EgressRefusal, EgressRefusalCode } from './egressTranscript.ts'
import { PeerHostError } from './errors.ts'
import type { HeaderPair } from './headers.ts'
import { LIMITS } from './limits.ts'

/** An outgoing call of a function, as every party sees it. */
export type EgressCall = {
  readonly v: 1
  readonly method: string
  readonly url: string
  readonly headers: readonly HeaderPair[]
  /** In base64, whatever it is: escapes of text would make a body of bounded size a frame of any. */
  readonly body: string
}

/** The parts of a call as the function gave them. */
export type RawEgressCall = {
  readonly method: string
  readonly url: string
  readonly headers: Iterable<HeaderPair>
  readonly body: Uint8Array
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const pair = z.tuple([z.string(), z.string()])
const schema = z.strictObject({
  v: z.literal(1),
  method: z.enum(methods),
  url: z.string().max(LIMITS.egressUrlCharacters),
  headers: z.array(pair).max(LIMITS.headerPairs),
  body: z.string(),
})

/** Headers that belong to a connection, or that the broker sets itself: they are dropped from calls and answers. */
const connectionHeaders = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'via',
  'forwarded',
])

/** True for a lower-case header name that a function may set on a call, and see in an answer. */
export function isEgressHeader(name: string): boolean {
  return !connectionHeaders.has(name) && !/^(proxy-|x-forwarded-|peerhost-)/.test(name)
}

/**
 * Applies every policy that needs no allow-list: method, one spelling of the URL (https, no user, no fragment), lower-case sorted
 * headers without those of the connection, bounded body. Pure, so that every worker refuses the same.
 */
export function canonicalEgressCall(raw: RawEgressCall): { ok: true; call: EgressCall } | ({ ok: false } & Refused) {
  const method = raw.method.toUpperCase()
  if (!methods.includes(method)) return refused('egress_call_invalid', `The method ${method.slice(0, 16)} is not sent.`)
  const url = canonicalUrl(raw.url)
  if (!url.ok) return url
  if (raw.body.length > LIMITS.egressRequestBytes)
    return refused('egress_request_too_large', `The body is over ${LIMITS.egressRequestBytes} bytes.`)
  if (raw.body.length > 0 && (method === 'GET' || method === 'HEAD'))
    return refused('egress_call_invalid', `A ${method} call has no body.`)
  const headers: HeaderPair[] = []
  for (const [rawName, rawValue] of raw.headers) {
    const name = rawName.toLowerCase()
    if (!isEgressHeader(name)) continue
    const value = rawValue.replace(/^[ \t]+|[ \t]+$/g, '')
    if (!/^[!#$%&'*+\-.^_`|~0-9a-z]{1,128}$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      return refused('egress_call_invalid', 'A header has a name or value that HTTP does not allow.')
    if (value.length > LIMITS.headerValueCharacters)
      return refused('egress_request_too_large', `The header ${name} is too long.`)
    headers.push([name, value])
  }
  if (headers.length > LIMITS.headerPairs)
    return refused('egress_request_too_large', `More than ${LIMITS.headerPairs} headers.`)
  headers.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return { ok: true, call: { v: 1, method, url: url.url, headers, body: toBase64(raw.body) } }
}

/** Call → the bytes that are hashed and sent. */
export function encodeEgressCall(call: EgressCall): Uint8Array {
  return encodeCanonicalJson(call)
}

/** The bytes → the call. Throws `request_invalid` unless they are the one spelling of a call that may be made. */
export function decodeEgressCall(bytes: Uint8Array): EgressCall {
  const parsed = schema.safeParse(decodeCanonicalJson(bytes))
  if (parsed.success) {
    const { method, url, headers, body } = parsed.data
    const again = canonicalEgressCall({ method, url, headers, body: fromBase64(body) })
    if (again.ok && sameBytes(encodeEgressCall(again.call), bytes)) return again.call
  }
  throw new PeerHostError('request_invalid', 'The bytes are not a canonical outgoing call.')
}

/** keccak256 of the canonical call's bytes: what a recorded call is compared by. */
export function hashEgressCall(bytes: Uint8Array): Hex {
  return keccak256(bytes)
}

type Refused = Omit<EgressRefusal, 'v' | 'type'>

function refused(code: EgressRefusalCode, message: string): { ok: false } & Refused {
  return { ok: false, code, message }
}

function canonicalUrl(text: string): { ok: true; url: string } | ({ ok: false } & Refused) {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url) return refused('egress_url_refused', 'The URL is not absolute.')
  if (url.protocol !== 'https:') return refused('egress_url_refused', 'Only https URLs are called.')
  if (url.username !== '' || url.password !== '')
    return refused('egress_url_refused', 'A URL with a user or password is not called.')
  url.hash = ''
  if (url.href.length > LIMITS.egressUrlCharacters)
    return refused('egress_request_too_large', `The URL is over ${LIMITS.egressUrlCharacters} characters.`)
  return { ok: true, url: url.href }
}
