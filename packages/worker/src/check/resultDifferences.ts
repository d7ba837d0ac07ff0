import { decodeBody, decodeResult } from '@peerhost/protocol'

/** One place in which two results are not the same. */
export type ResultDifference = {
  /** `outcome`, `status`, `body`, or `header ` and its name. */
  readonly where: string
  /** Undefined: the header is not there. */
  readonly first: string | undefined
  readonly second: string | undefined
  /** Where in the body, in bytes from its beginning. */
  readonly byte?: number
}

const contextBytes = 24

/** Where two canonical results differ: outcome, status, each header, and the first byte of the body with what is around it. */
export function resultDifferences(one: Uint8Array, other: Uint8Array): ResultDifference[] {
  const [first, second] = [decodeResult(one), decodeResult(other)]
  const found: ResultDifference[] = []
  const compare = (where: string, a: string | undefined, b: string | undefined) => {
    if (a !== b) found.push({ where, first: a, second: b })
  }
  compare('outcome', first.outcome, second.outcome)
  compare('status', String(first.status), String(second.status))
  const [mine, theirs] = [headersByName(first.headers), headersByName(second.headers)]
  for (const name of new Set([...mine.keys(), ...theirs.keys()]))
    compare(`header ${name}`, mine.get(name), theirs.get(name))
  const body = bodyDifference(decodeBody(first.body), decodeBody(second.body))
  return body ? [...found, body] : found
}

function headersByName(pairs: readonly (readonly [string, string])[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (const [name, value] of pairs) headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value)
  return headers
}

function bodyDifference(first: Uint8Array, second: Uint8Array): ResultDifference | undefined {
  const shorter = Math.min(first.length, second.length)
  let byte = 0
  while (byte < shorter && first[byte] === second[byte]) byte += 1
  if (byte === first.length && byte === second.length) return undefined
  return { where: 'body', byte, first: around(first, byte), second: around(second, byte) }
}

/** The bytes around a place as text; what is no text is shown as it would be escaped. */
function around(bytes: Uint8Array, byte: number): string {
  const [start, end] = [Math.max(0, byte - contextBytes), Math.min(bytes.length, byte + contextBytes)]
  const text = JSON.stringify(new TextDecoder().decode(bytes.subarray(start, end)))
    .slice(1, -1)
    .replaceAll('\\"', '"')
  return `${start > 0 ? '…' : ''}${text}${end < bytes.length ? '…' : ''}`
}
