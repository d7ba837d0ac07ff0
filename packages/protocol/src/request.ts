import { type Hex, keccak256 } from 'viem'
import { z } from 'zod'
import { type CanonicalBody, decodeBody, encodeBody } from './body.ts'
import { decodeCanonicalJson, encodeCanonicalJson } from './canonicalJson.ts'
import { PeerHostError } from './errors.ts'
import { canonicalHeaders, type HeaderPair, isRequestHeader } from './headers.ts'
import { LIMITS } from './limits.ts'
import { canonicalPath, canonicalQuery, formatQuery, type QueryPair } from './path.ts'

/** What a function is asked, as every party sees it. `path` is the part after the function's own URL, `/` when there is none. */
export type CanonicalRequest = {
  readonly v: 1
  readonly method: string
  readonly path: string
  readonly query: readonly QueryPair[]
  readonly headers: readonly HeaderPair[]
  readonly body: CanonicalBody
}

/** The parts of an HTTP request as they came in, before any policy was applied. */
export type RawRequest = {
  method: string
  /** Raw path after the function's own URL, still percent-encoded. */
  path: string
  /** Raw query string without `?`. */
  query: string
  headers: Iterable<HeaderPair>
  body: Uint8Array
}

const pair = z.tuple([z.string(), z.string()])
const bodySchema = z.union([z.strictObject({ utf8: z.string() }), z.strictObject({ base64: z.string() })])
const requestSchema = z.strictObject({
  v: z.literal(1),
  method: z.string().regex(/^[A-Z]{1,16}$/),
  path: z.string(),
  query: z.array(pair),
  headers: z.array(pair),
  body: bodySchema,
})

/**
 * Applies every policy of the protocol to a request: method upper-case, one spelling of the path, decoded query pairs,
 * allow-listed headers, untouched body bytes. Throws `request_invalid` or `request_too_large`.
 */
export function canonicalRequest(raw: RawRequest): CanonicalRequest {
  if (raw.body.length > LIMITS.requestBodyBytes)
    throw new PeerHostError('request_too_large', 'The request body is too large.')
  const method = raw.method.toUpperCase()
  if (!/^[A-Z]{1,16}$/.test(method)) throw new PeerHostError('request_invalid', 'The method is not a word of letters.')
  return {
    v: 1,
    method,
    path: canonicalPath(raw.path),
    query: canonicalQuery(raw.query),
    headers: canonicalHeaders(raw.headers, isRequestHeader),
    body: encodeBody(raw.body),
  }
}

/** Canonical request → the bytes that are hashed, sent and given to the function. Done once, by the first party. */
export function encodeRequest(request: CanonicalRequest): Uint8Array {
  const bytes = encodeCanonicalJson(request)
  if (bytes.length > LIMITS.canonicalRequestBytes)
    throw new PeerHostError('request_too_large', 'The canonical request is too large.')
  return bytes
}

/** The bytes → the request. Throws `request_invalid` unless encoding the request again gives the same bytes. */
export function decodeRequest(bytes: Uint8Array): CanonicalRequest {
  const parsed = requestSchema.safeParse(decodeCanonicalJson(bytes))
  if (!parsed.success)
    throw new PeerHostError('request_invalid', 'The bytes are not a canonical request.', {
      details: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    })
  const request = parsed.data
  const again = canonicalRequest({
    method: request.method,
    path: request.path,
    query: formatQuery(request.query),
    headers: request.headers,
    body: decodeBody(request.body),
  })
  const headersKept =
    again.headers.length === request.headers.length &&
    again.headers.every(
      ([name, value], index) => name === request.headers[index]?.[0] && value === request.headers[index]?.[1],
    )
  if (again.path !== request.path || !headersKept)
    throw new PeerHostError('request_invalid', 'The request is not in canonical form.')
  return request
}

/** keccak256 of the canonical request's bytes. Twin: `Hashes.hashInput`. Vectors: `request.json`. */
export function hashInput(bytes: Uint8Array): Hex {
  return keccak256(bytes)
}
