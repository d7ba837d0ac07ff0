/** The one address that every function has, as it sees itself. */
export const origin = 'https://function.peerhost.internal'

/** The canonical request as a web `Request`. */
export function webRequest(bytes: Uint8Array): Request {
  const canonical = JSON.parse(new TextDecoder().decode(bytes)) as {
    method: string
    path: string
    query: [string, string][]
    headers: [string, string][]
    body: { utf8: string } | { base64: string }
  }
  const { method, path, query, headers } = canonical
  const pairs = query.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
  const url = `${origin}${path}${pairs.length > 0 ? `?${pairs.join('&')}` : ''}`
  const body =
    'utf8' in canonical.body ? Buffer.from(canonical.body.utf8) : Buffer.from(canonical.body.base64, 'base64')
  // The web's Request refuses a body here, and HTTP gives it no meaning.
  const bodiless = method === 'GET' || method === 'HEAD' || body.length === 0
  return new Request(url, { method, headers, ...(bodiless ? {} : { body }) })
}
