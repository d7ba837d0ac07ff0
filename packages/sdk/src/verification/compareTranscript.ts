import {
  canonicalHeaders,
  canonicalPath,
  canonicalQuery,
  decodeBody,
  decodeRequest,
  decodeResult,
  isPeerHostError,
  isRequestHeader,
  sameBytes,
  type Ticket,
} from '@peerhost/protocol'
import type { ResponseCheck } from '../actions/verifyResponse.ts'
import type { Call } from '../call.ts'
import { readingsOf } from '../resolveUrl.ts'
import type { InvokeResponse } from '../response.ts'

/**
 * Compares the request that ran with the one that was sent: the function, and method, path, query, body and every header
 * that was set by hand. (HTTP clients add headers of their own, so a header that was not sent is no difference.)
 */
export function compareSent(sent: Call, ticket: Ticket, requestBytes: Uint8Array): ResponseCheck[] {
  try {
    const request = decodeRequest(requestBytes)
    const path = pathBelow(sent.url, ticket.functionId)
    const problems: [boolean, string][] = [
      [request.method !== sent.method, `The method was ${sent.method}, ${request.method} ran.`],
      [!samePath(request.path, path, sent.url), `The path was ${path ?? sent.url}, ${request.path} ran.`],
      [!sameQuery(request.query, sent.url), 'The query that ran is not the one that was sent.'],
      [
        !sameBytes(decodeBody(request.body), sent.body ?? new Uint8Array()),
        'The body that ran is not the one that was sent.',
      ],
      [!hasHeaders(request.headers, sent.headers), 'A header that was sent did not reach the function.'],
    ]
    return [functionCheck(sent, ticket, path), result('sent', problems)]
  } catch (error) {
    if (!isPeerHostError(error)) throw error
    return [{ name: 'sent', ok: false, detail: `The transcript holds no canonical request: ${error.message}` }]
  }
}

/** Compares the result that was signed with the answer that arrived: status, body, and every header the function set. */
export function compareReceived(
  response: Pick<InvokeResponse, 'status' | 'body' | 'headers' | 'sent'>,
  resultBytes: Uint8Array,
): ResponseCheck {
  try {
    const signed = decodeResult(resultBytes)
    const bodyHidden = response.sent.method === 'HEAD' || signed.status === 204 || signed.status === 304
    const problems: [boolean, string][] = [
      [signed.status !== response.status, `The worker signed status ${signed.status}, ${response.status} arrived.`],
      [
        !bodyHidden && !sameBytes(decodeBody(signed.body), response.body),
        'The body that arrived is not the one that was signed.',
      ],
      [
        contentType(signed.headers) !== undefined && !sameContentType(signed.headers, response.headers),
        'The content type that arrived is not the one that was signed.',
      ],
    ]
    return result('received', problems)
  } catch (error) {
    if (!isPeerHostError(error)) throw error
    return { name: 'received', ok: false, detail: `The transcript holds no canonical result: ${error.message}` }
  }
}

function functionCheck(sent: Call, ticket: Ticket, path: string | undefined): ResponseCheck {
  const named = sent.functionId?.toLowerCase() === ticket.functionId.toLowerCase()
  if (sent.functionId ? named : path !== undefined) return { name: 'function', ok: true }
  return { name: 'function', ok: false, detail: `The function ${ticket.functionId} ran, which is not the one called.` }
}

/** The path below the function with this id, when the URL can mean it. */
function pathBelow(url: string, functionId: string): string | undefined {
  const reading = readingsOf(url).find((candidate) => candidate.functionId === functionId.toLowerCase())
  return reading && canonicalPath(reading.path)
}

/** Where the URL's form is the gateway's own, only its end can be compared. */
function samePath(ran: string, path: string | undefined, url: string): boolean {
  return path === undefined ? ran === '/' || canonicalPath(new URL(url).pathname).endsWith(ran) : ran === path
}

function sameQuery(query: readonly (readonly [string, string])[], url: string): boolean {
  const sent = canonicalQuery(new URL(url).search.replace(/^\?/, ''))
  return JSON.stringify(sent) === JSON.stringify(query)
}

/** `fetch` joins headers of one name; browsers set `origin` themselves. */
function hasHeaders(ran: readonly (readonly [string, string])[], sent: Call['headers']): boolean {
  const joined = (pairs: readonly (readonly [string, string])[], name: string) =>
    pairs
      .filter(([other]) => other === name)
      .map(([, value]) => value)
      .join(', ')
  const wanted = canonicalHeaders(sent, isRequestHeader).filter(([name]) => name !== 'origin')
  return wanted.every(([name]) => joined(ran, name) === joined(wanted, name))
}

function contentType(headers: readonly (readonly [string, string])[]): string | undefined {
  return headers.find(([name]) => name === 'content-type')?.[1]
}

function sameContentType(signed: readonly (readonly [string, string])[], arrived: Headers): boolean {
  return contentType(signed)?.toLowerCase() === arrived.get('content-type')?.toLowerCase()
}

function result(name: ResponseCheck['name'], problems: readonly [boolean, string][]): ResponseCheck {
  const problem = problems.find(([wrong]) => wrong)
  return problem ? { name, ok: false, detail: problem[1] } : { name, ok: true }
}
