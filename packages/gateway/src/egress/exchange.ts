import http, { type IncomingMessage, type RequestOptions } from 'node:http'
import https from 'node:https'
import { isIPv6 } from 'node:net'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { type EgressRefusal, type HeaderPair, isEgressHeader } from '@peerhost/protocol'
import type { EgressNetwork } from './egressNetwork.ts'
import { refusal } from './refusal.ts'

export type ExchangeRequest = {
  method: string
  url: URL
  headers: readonly HeaderPair[]
  body: Uint8Array
  /** The address that was checked: the connection goes there and nowhere else. */
  address: string
  maxBytes: number
  /** Counts bytes of a body as they arrive; false when there may be no more. */
  spend: (bytes: number) => boolean
}

export type ExchangeResponse = {
  type: 'response'
  status: number
  headers: readonly HeaderPair[]
  /** Where a redirect leads; its body is not read. */
  location: string | undefined
  body: Uint8Array
}

const redirects = [301, 302, 303, 307, 308]
const maxHeaderBytes = 32_768
/** Cookies are kept nowhere; a session would stand for the secret that opened it. */
const droppedHeaders = new Set(['set-cookie', 'set-cookie2', 'content-encoding'])

/** One HTTP exchange with one address. What goes wrong is a refusal. */
export async function exchange(
  network: Pick<EgressNetwork, 'isPlain' | 'authority'>,
  request: ExchangeRequest,
  signal: AbortSignal,
): Promise<ExchangeResponse | EgressRefusal> {
  let message: IncomingMessage | undefined
  try {
    message = await send(network, request, signal)
    const status = message.statusCode ?? 0
    if (status < 200 || status > 599) return refusal('egress_response_refused', 'The answer has no HTTP status.')
    const headers = headersOf(message)
    const location = redirects.includes(status) ? message.headers.location : undefined
    if (location !== undefined) return { type: 'response', status, headers, location, body: new Uint8Array() }
    const body = await readBody(message, request)
    if (!(body instanceof Uint8Array)) return body
    const decoded = await decode(message.headers['content-encoding'], body, request.maxBytes)
    if (!(decoded instanceof Uint8Array)) return decoded
    return { type: 'response', status, headers, location, body: decoded }
  } catch {
    if (signal.aborted) return refusal('egress_timed_out', 'The call took too long.')
    return refusal('egress_unreachable', 'The host did not answer, or broke off.')
  } finally {
    // Whatever is left of the answer is not read.
    message?.destroy()
  }
}

function send(
  { isPlain, authority }: Pick<EgressNetwork, 'isPlain' | 'authority'>,
  { method, url, headers, body, address }: ExchangeRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  const plain = isPlain(url.hostname)
  const family = isIPv6(address) ? 6 : 4
  const options: RequestOptions & https.RequestOptions = {
    method,
    hostname: url.hostname,
    port: url.port === '' ? (plain ? 80 : 443) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    headers: headerRecord(headers, body),
    // A connection of its own: nothing that was opened for somebody else is used, and no proxy of the environment.
    agent: false,
    maxHeaderSize: maxHeaderBytes,
    signal,
    lookup: (_, { all }, callback) => (all ? callback(null, [{ address, family }]) : callback(null, address, family)),
    ...(authority === undefined ? {} : { ca: authority }),
  }
  return new Promise((resolve, reject) => {
    const sent = plain ? http.request(options) : https.request(options)
    sent.once('response', resolve)
    // Not once: an error may follow the answer, and nobody else hears it.
    sent.on('error', reject)
    sent.end(body)
  })
}

function headerRecord(pairs: readonly HeaderPair[], body: Uint8Array): Record<string, string | string[]> {
  const record: Record<string, string | string[]> = {
    accept: '*/*',
    'user-agent': 'peerhost',
    ...(body.length > 0 ? { 'content-length': String(body.length) } : {}),
  }
  for (const [name, values] of Map.groupBy(pairs, ([name]) => name)) record[name] = values.map(([, value]) => value)
  record['accept-encoding'] = 'identity'
  return record
}

function headersOf({ rawHeaders }: IncomingMessage): HeaderPair[] {
  const pairs: HeaderPair[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    if (isEgressHeader(name) && !droppedHeaders.has(name)) pairs.push([name, rawHeaders[at + 1] ?? ''])
  }
  return pairs
}

async function readBody(
  message: IncomingMessage,
  { maxBytes, spend }: ExchangeRequest,
): Promise<Uint8Array | EgressRefusal> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) return tooLarge(maxBytes)
    if (!spend(chunk.length)) return refusal('egress_budget_spent', 'The calls of this request moved too many bytes.')
    chunks.push(chunk)
  }
  return new Uint8Array(Buffer.concat(chunks))
}

const decoders = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
} as const

/** A host may compress although we ask it not to. What we cannot read, we cannot look through for secrets. */
async function decode(
  encoding: string | undefined,
  body: Uint8Array,
  maxOutputLength: number,
): Promise<Uint8Array | EgressRefusal> {
  const name = encoding?.trim().toLowerCase() ?? ''
  if (name === '' || name === 'identity' || body.length === 0) return body
  const decoder = Object.hasOwn(decoders, name) ? decoders[name as keyof typeof decoders] : undefined
  if (!decoder) return refusal('egress_response_refused', 'The answer is compressed in a way that is not read here.')
  try {
    return new Uint8Array(await decoder(body, { maxOutputLength }))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return tooLarge(maxOutputLength)
    return refusal('egress_response_refused', 'The answer is not compressed as it says.')
  }
}

function tooLarge(maxBytes: number): EgressRefusal {
  return refusal('egress_response_too_large', `The answer is over ${maxBytes} bytes.`)
}
