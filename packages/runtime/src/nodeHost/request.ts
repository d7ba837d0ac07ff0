import { type Canonical, requestUrl } from '../handler/canonicalRequest.ts'
import { isForbiddenMethod } from '../handler/handler.ts'

/** The canonical request as Node's web `Request`. */
export function webRequest(canonical: Canonical): Request {
  const { method, headers, body } = canonical
  const url = requestUrl(canonical)
  // For these the web has no Request; the handler answers them without one.
  if (isForbiddenMethod(method)) return new Request(url)
  const bytes = 'utf8' in body ? Buffer.from(body.utf8) : Buffer.from(body.base64, 'base64')
  // The web's Request refuses a body here, and HTTP gives it no meaning.
  const bodiless = method === 'GET' || method === 'HEAD' || bytes.length === 0
  return new Request(url, { method, headers: headers as [string, string][], ...(bodiless ? {} : { body: bytes }) })
}
