import { PeerHostError } from './errors.ts'
import { LIMITS } from './limits.ts'

/** Lower-case name and value. Duplicates are kept, in order of arrival. */
export type HeaderPair = readonly [name: string, value: string]

const requestNames = new Set([
  'accept',
  'accept-language',
  'authorization',
  'content-encoding',
  'content-language',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
  'origin',
  'range',
  'stripe-signature',
  'user-agent',
  'webhook-id',
  'webhook-signature',
  'webhook-timestamp',
])

const responseNames = new Set([
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'access-control-max-age',
  'allow',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'etag',
  'expires',
  'last-modified',
  'link',
  'location',
  'retry-after',
  'vary',
  'www-authenticate',
])

/** Names under `x-` that belong to proxies and to payments: a function neither sees nor sets them. */
const reservedExtension = /^x-(payment|peerhost|forwarded|real-ip|request-id|envoy|amzn|cloud-trace)/

/** True when a request header of this lower-case name enters the canonical request. */
export function isRequestHeader(name: string): boolean {
  return requestNames.has(name) || isFreeExtension(name)
}

/** True when a response header of this lower-case name may leave a function. */
export function isResponseHeader(name: string): boolean {
  return responseNames.has(name) || isFreeExtension(name)
}

/**
 * Keeps the allowed pairs, lower-cases names, trims values and sorts by name; pairs of one name keep their order.
 * Throws `request_too_large` past the limits and `request_invalid` for a value that HTTP does not allow.
 */
export function canonicalHeaders(pairs: Iterable<HeaderPair>, isAllowed: (name: string) => boolean): HeaderPair[] {
  const kept: HeaderPair[] = []
  for (const [rawName, rawValue] of pairs) {
    const name = rawName.toLowerCase()
    if (!isAllowed(name)) continue
    const value = rawValue.replace(/^[ \t]+|[ \t]+$/g, '')
    if (/[\0\r\n]/.test(value))
      throw new PeerHostError('request_invalid', `The header ${name} holds a control character.`)
    if (value.length > LIMITS.headerValueCharacters)
      throw new PeerHostError('request_too_large', `The header ${name} is too long.`)
    kept.push([name, value])
  }
  if (kept.length > LIMITS.headerPairs)
    throw new PeerHostError('request_too_large', `More than ${LIMITS.headerPairs} headers.`)
  return kept.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
}

function isFreeExtension(name: string): boolean {
  return /^x-[a-z0-9-]+$/.test(name) && !reservedExtension.test(name)
}
