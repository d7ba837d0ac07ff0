import { PeerHostError } from '@peerhost/protocol'

/** One bounded HTTP exchange. `maxBytes` bounds the answer while it streams, `timeoutMs` the whole exchange. */
export type HttpExchange = {
  url: string
  method: string
  headers?: Record<string, string>
  body?: Uint8Array<ArrayBuffer>
  maxBytes: number
  timeoutMs: number
  /** How many redirects may be followed; 0 where the request carries an authorisation. */
  redirects?: number
  signal?: AbortSignal | undefined
}

export type HttpAnswer = { status: number; body: Uint8Array }

/**
 * Sends one request and reads the whole answer, never more than `maxBytes` of it.
 * Throws `bundle_too_large` for a longer answer, `bundle_unavailable` when there was no answer in time, and the caller's
 * own reason when the caller aborted.
 */
export async function exchange(request: HttpExchange): Promise<HttpAnswer> {
  request.signal?.throwIfAborted()
  const deadline = AbortSignal.timeout(request.timeoutMs)
  const signal = request.signal ? AbortSignal.any([request.signal, deadline]) : deadline
  try {
    const response = await follow(request, signal)
    return { status: response.status, body: await readBounded(response, request.maxBytes) }
  } catch (error) {
    if (request.signal?.aborted) throw request.signal.reason
    if (error instanceof PeerHostError) throw error
    const why = deadline.aborted ? `No whole answer within ${request.timeoutMs} ms.` : reasonOf(error)
    throw new PeerHostError('bundle_unavailable', 'The source could not be read.', { details: [why], cause: error })
  }
}

/**
 * A form as bytes with its header. Node streams a `FormData` body, and a request that ends early then leaves a rejection
 * that nobody can catch.
 */
export async function encodeForm(form: FormData): Promise<{ body: Uint8Array<ArrayBuffer>; contentType: string }> {
  const encoded = new Response(form)
  return {
    body: new Uint8Array(await encoded.arrayBuffer()),
    contentType: encoded.headers.get('content-type') ?? 'multipart/form-data',
  }
}

/** The start of an answer's text, for the details of an error. */
export function excerpt(body: Uint8Array): string {
  return new TextDecoder()
    .decode(body.subarray(0, 300))
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
}

async function follow(request: HttpExchange, signal: AbortSignal): Promise<Response> {
  let url = new URL(request.url)
  for (let hops = request.redirects ?? 0; ; hops--) {
    const response = await fetch(url, {
      method: request.method,
      headers: request.headers ?? {},
      body: request.body ?? null,
      redirect: 'manual',
      signal,
    })
    const location = response.headers.get('location')
    if (response.status < 300 || response.status >= 400 || location === null) return response
    await response.body?.cancel()
    const target = new URL(location, url)
    if (hops <= 0 || !mayFollow(url, target)) {
      throw new PeerHostError('bundle_unavailable', 'The source redirects to where it may not.', {
        details: [`Redirects to: ${target.origin}`],
        hint: 'Configure the address it redirects to, if you trust it.',
      })
    }
    url = target
  }
}

/** Gateways redirect to `https` and to a subdomain per CID; anything else could aim our request at somebody else. */
function mayFollow(from: URL, to: URL): boolean {
  const secure = to.protocol === from.protocol || (from.protocol === 'http:' && to.protocol === 'https:')
  const samePort = to.port === from.port || to.protocol !== from.protocol
  return secure && samePort && (to.hostname === from.hostname || to.hostname.endsWith(`.${from.hostname}`))
}

async function readBounded(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    // Leaving the loop cancels the stream: a source cannot make us read on.
    if (length > maxBytes) {
      throw new PeerHostError('bundle_too_large', `The source sends more than ${maxBytes} bytes.`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, length)
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}
