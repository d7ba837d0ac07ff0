import { PeerHostError } from './errors.ts'
import { LIMITS } from './limits.ts'

/** One query parameter after one percent-decoding; duplicates keep their order. */
export type QueryPair = readonly [name: string, value: string]

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The one spelling of a path. Percent-escapes of unreserved characters are decoded, all others get upper-case digits and
 * stay (`%2F` is not a separator); raw characters outside RFC 3986 are escaped; `.`, `..`, `\` and broken escapes are refused.
 */
export function canonicalPath(raw: string): string {
  if (raw.length > LIMITS.pathCharacters) throw new PeerHostError('request_too_large', 'The path is too long.')
  if (raw !== '' && !raw.startsWith('/'))
    throw new PeerHostError('request_invalid', 'The path does not begin with a slash.')
  if (!raw.isWellFormed()) throw new PeerHostError('request_invalid', 'The path holds a lone surrogate.')
  if (/[\\?#\p{Cc}]/u.test(raw))
    throw new PeerHostError('request_invalid', 'The path holds a character that a path cannot hold.')
  if (/%(?![0-9a-f]{2})/i.test(raw))
    throw new PeerHostError('request_invalid', 'The path holds a broken percent-escape.')
  const path = raw
    .replace(/%([0-9a-f]{2})/gi, (_, digits: string) => canonicalEscape(digits))
    .replace(/[^A-Za-z0-9\-._~!$&'()*+,;=:@/%]/gu, (character) => encodeURIComponent(character))
  if (path.split('/').some((segment) => segment === '.' || segment === '..')) {
    throw new PeerHostError('request_invalid', 'The path holds a dot segment.')
  }
  return path === '' ? '/' : path
}

/**
 * A query string (without `?`) as ordered pairs. `+` is a space, escapes are decoded once as strict UTF-8, a parameter
 * without `=` has an empty value, empty parameters are dropped.
 */
export function canonicalQuery(raw: string): QueryPair[] {
  if (raw.length > LIMITS.queryCharacters) throw new PeerHostError('request_too_large', 'The query is too long.')
  return raw
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=')
      return equals === -1
        ? ([decodeQuery(part), ''] as const)
        : ([decodeQuery(part.slice(0, equals)), decodeQuery(part.slice(equals + 1))] as const)
    })
}

/** Ordered pairs → a query string that `canonicalQuery` reads back to the same pairs. */
export function formatQuery(pairs: readonly QueryPair[]): string {
  return pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
}

function canonicalEscape(digits: string): string {
  const character = String.fromCharCode(Number.parseInt(digits, 16))
  return /[A-Za-z0-9\-._~]/.test(character) ? character : `%${digits.toUpperCase()}`
}

function decodeQuery(text: string): string {
  if (!text.isWellFormed()) throw new PeerHostError('request_invalid', 'The query holds a lone surrogate.')
  const encoded = encodeURI(text.replaceAll('+', ' ')).replaceAll('%25', '%')
  if (/%(?![0-9a-f]{2})/i.test(encoded))
    throw new PeerHostError('request_invalid', 'The query holds a broken percent-escape.')
  const bytes = Uint8Array.from(
    encoded.replace(/%([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
    (character) => character.charCodeAt(0),
  )
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new PeerHostError('request_invalid', 'The query is not UTF-8 after percent-decoding.', { cause })
  }
}
