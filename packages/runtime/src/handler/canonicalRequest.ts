/** The one address that every function has, as it sees itself. */
const origin = 'https://function.peerhost.internal'

/** A canonical request, as its bytes say it. */
export type Canonical = {
  readonly method: string
  readonly path: string
  readonly query: readonly (readonly [string, string])[]
  readonly headers: readonly (readonly [string, string])[]
  readonly body: { readonly utf8: string } | { readonly base64: string }
}

/** Reads the text of a canonical request, which the worker has checked. */
export function readCanonical(text: string): Canonical {
  return JSON.parse(text) as Canonical
}

/** The address under which the function sees the request. */
export function requestUrl({ path, query }: Canonical): string {
  const pairs = query.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  return `${origin}${path}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`
}
