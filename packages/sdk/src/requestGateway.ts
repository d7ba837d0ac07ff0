import { isErrorCode, PeerHostError } from '@peerhost/protocol'
import type { z } from 'zod'
import type { Fetch } from './connection.ts'
import { readBody } from './readBody.ts'

const answerBytes = 16_777_216
const timeoutMs = 20_000

/**
 * Asks the gateway's own API and parses the answer. Throws what the gateway's problem document says, and
 * `gateway_unavailable` when there is no answer or one that is not of this API.
 */
export async function requestGateway<T extends z.ZodType>(
  gateway: { gatewayUrl: string; fetch: Fetch },
  request: {
    path: string
    schema: T
    method?: 'GET' | 'PUT' | 'DELETE'
    body?: Uint8Array
    headers?: Record<string, string>
    signal?: AbortSignal | undefined
  },
): Promise<z.output<T>> {
  const url = `${gateway.gatewayUrl}${request.path}`
  let response: Response
  let body: Uint8Array
  try {
    const deadline = AbortSignal.timeout(timeoutMs)
    response = await gateway.fetch(url, {
      method: request.method ?? 'GET',
      ...(request.body ? { body: request.body as Uint8Array<ArrayBuffer> } : {}),
      headers: { accept: 'application/json', ...request.headers },
      signal: request.signal ? AbortSignal.any([request.signal, deadline]) : deadline,
    })
    body = await readBody(response, answerBytes)
  } catch (cause) {
    request.signal?.throwIfAborted()
    throw unavailable(gateway, 'The gateway did not answer.', cause)
  }
  if (!response.ok) throw problemError(response.status, body)
  const parsed = request.schema.safeParse(parseJson(body))
  if (parsed.success) return parsed.data
  throw unavailable(gateway, `The answer of ${request.path} is not of this API.`, undefined, [
    ...parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  ])
}

/** The error that a problem document (RFC 9457) of a gateway stands for; `gateway_unavailable` for anything else. */
export function problemError(status: number, body: Uint8Array): PeerHostError {
  const problem = problemOf(body)
  if (!problem) {
    return new PeerHostError('gateway_unavailable', `The gateway answered ${status} without saying why.`, {
      hint: 'Check that the URL is that of a PeerHost gateway, then try again.',
    })
  }
  const details = [`Status: ${status}`]
  if (typeof problem.requestId === 'string') details.push(`Request: ${problem.requestId}`)
  return new PeerHostError(problem.code, problem.detail ?? problem.title ?? `The gateway answered ${status}.`, {
    details,
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
  })
}

/** What a gateway's problem document holds, or `undefined` when the body is none. */
export function problemOf(body: Uint8Array): Problem | undefined {
  const value = parseJson(body) as Problem | undefined
  if (typeof value !== 'object' || value === null || !isErrorCode(value.code)) return undefined
  const text = (member: unknown) => (typeof member === 'string' ? member : undefined)
  return {
    code: value.code,
    title: text(value.title),
    detail: text(value.detail),
    hint: text(value.hint),
    requestId: text(value.requestId),
    retryable: value.retryable === true,
  }
}

type Problem = {
  code: PeerHostError['code']
  title: string | undefined
  detail: string | undefined
  hint: string | undefined
  requestId: string | undefined
  retryable: boolean
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}

function unavailable(gateway: { gatewayUrl: string }, message: string, cause: unknown, details: string[] = []) {
  return new PeerHostError('gateway_unavailable', message, {
    cause,
    details: [`Gateway: ${withoutCredentials(gateway.gatewayUrl)}`, ...details],
    hint: 'Check the gateway URL and that the gateway runs, then try again.',
  })
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, '//')
}
