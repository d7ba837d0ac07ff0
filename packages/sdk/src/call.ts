import { canonicalPath, formatQuery, type Lane, PeerHostError, type QueryPair } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { getFunction } from './actions/getFunction.ts'
import type { Connection } from './connection.ts'

/** What to call and with what: the part that `invoke` and `quote` share. */
export type CallParameters = {
  /** URL of a function, or of a path below it. Give this or `functionId`. */
  url?: string | undefined
  functionId?: Hex | undefined
  /** Path below the function's URL, beginning with a slash. */
  path?: string | undefined
  /** Query string without `?`, pairs, or members. */
  query?: string | readonly QueryPair[] | Readonly<Record<string, string | number | boolean>> | undefined
  /** GET, or POST when there is a body. */
  method?: string | undefined
  headers?: Readonly<Record<string, string>> | readonly (readonly [name: string, value: string])[] | undefined
  /** Bytes or text, sent as they are. */
  body?: Uint8Array | string | undefined
  /** A value to send as JSON instead of `body`. */
  json?: unknown
  lane?: Lane | undefined
}

/** One HTTP request, fixed: a retry sends exactly this again. */
export type Call = {
  url: string
  method: string
  headers: readonly (readonly [name: string, value: string])[]
  body: Uint8Array | undefined
  functionId: Hex | undefined
}

/** Parameters → the request that is sent. Throws `request_invalid`, and `function_not_found` for an unknown id. */
export async function prepareCall(
  connection: Connection,
  parameters: CallParameters,
  signal?: AbortSignal,
): Promise<Call> {
  const base = await baseUrl(connection, parameters, signal)
  const url = new URL(base)
  if (parameters.path !== undefined && parameters.path !== '/') {
    url.pathname = `${url.pathname.replace(/\/+$/, '')}${canonicalPath(parameters.path)}`
  }
  const query = queryOf(parameters.query)
  if (query !== '') url.search = url.search === '' ? query : `${url.search}&${query}`
  url.hash = ''
  const headers = headersOf(parameters.headers)
  const body = bodyOf(parameters)
  if (parameters.json !== undefined && !headers.some(([name]) => name === 'content-type')) {
    headers.push(['content-type', 'application/json'])
  }
  if (parameters.lane) headers.push(['peerhost-lane', parameters.lane])
  for (const [name, value] of platformHeaders())
    if (!headers.some(([known]) => known === name)) headers.push([name, value])
  const method = (parameters.method ?? (body === undefined ? 'GET' : 'POST')).toUpperCase()
  if (body !== undefined && (method === 'GET' || method === 'HEAD')) {
    throw new PeerHostError('request_invalid', `A ${method} request cannot carry a body.`, {
      hint: 'Use POST, or put the input into the query.',
    })
  }
  return { url: url.href, method, headers, body, functionId: parameters.functionId?.toLowerCase() as Hex | undefined }
}

type Browser = { navigator?: { userAgent?: string; languages?: readonly string[] }; location?: { origin?: string } }

/**
 * What a platform's `fetch` would add to every request, said by ourselves: the function sees it, so a payer who recomputes
 * what it pays for has to know it.
 */
function platformHeaders(): (readonly [string, string])[] {
  const { navigator, location } = globalThis as Browser
  if (!location) return nodeHeaders
  return [
    ['accept', '*/*'],
    ['accept-language', navigator?.languages?.join(',') || '*'],
  ]
}

const nodeHeaders = [
  ['accept', '*/*'],
  ['accept-language', '*'],
  ['user-agent', 'node'],
] as const satisfies (readonly [string, string])[]

/** What a browser may add beyond that, and lets nobody set: with and without its origin. Elsewhere nothing. */
export function browserHeaders({ headers }: Pick<Call, 'headers'>): (readonly (readonly [string, string])[])[] {
  const { navigator, location } = globalThis as Browser
  if (!location) return [[]]
  const named = headers.some(([name]) => name === 'user-agent')
  const agent = named || !navigator?.userAgent ? [] : [['user-agent', navigator.userAgent] as const]
  return [agent, [...agent, ['origin', location.origin ?? 'null'] as const]]
}

async function baseUrl(connection: Connection, { url, functionId }: CallParameters, signal?: AbortSignal) {
  if ((url === undefined) === (functionId === undefined)) {
    throw new PeerHostError('request_invalid', 'Name the function by `url` or by `functionId`, one of the two.')
  }
  if (functionId !== undefined) return (await getFunction(connection, { functionId, signal })).url
  if (url !== undefined && URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url
  throw new PeerHostError('request_invalid', `“${url}” is not an absolute http(s) URL.`)
}

function queryOf(query: CallParameters['query']): string {
  if (query === undefined) return ''
  if (typeof query === 'string') return query.replace(/^\?/, '')
  if (Array.isArray(query)) return formatQuery(query as readonly QueryPair[])
  return formatQuery(Object.entries(query).map(([name, value]) => [name, String(value)] as const))
}

function headersOf(headers: CallParameters['headers']): (readonly [string, string])[] {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers ?? {})
  return (pairs as (readonly [string, string])[]).map(([name, value]) => {
    const lower = name.toLowerCase()
    if (lower === 'payment-signature' || lower === 'x-payment') {
      throw new PeerHostError('request_invalid', `The header ${lower} is set by the SDK alone.`, {
        hint: 'To send a signed payment again, use resume().',
      })
    }
    return [lower, value] as const
  })
}

function bodyOf({ body, json }: CallParameters): Uint8Array | undefined {
  if (body !== undefined && json !== undefined) {
    throw new PeerHostError('request_invalid', 'Give `body` or `json`, not both.')
  }
  if (json !== undefined) return new TextEncoder().encode(JSON.stringify(json))
  return typeof body === 'string' ? new TextEncoder().encode(body) : body
}
