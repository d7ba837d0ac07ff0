import { isPeerHostError, LIMITS, PeerHostError } from '@peerhost/protocol'
import type { Call } from './call.ts'
import type { Connection } from './connection.ts'
import { readBody } from './readBody.ts'

/** An HTTP answer, read to its end. */
export type Answer = { status: number; headers: Headers; body: Uint8Array }

/** Longest a single request may take; the slowest class of functions has a minute. */
const attemptTimeoutMs = 90_000

/**
 * Sends a call once and reads the whole answer. Redirects are not followed: a payment must not travel to where a
 * function points. Throws `gateway_unavailable` when there is no whole answer.
 */
export async function exchange(
  { fetch }: Pick<Connection, 'fetch'>,
  call: Call,
  extraHeaders: readonly (readonly [name: string, value: string])[],
  signal?: AbortSignal,
): Promise<Answer> {
  const deadline = AbortSignal.timeout(attemptTimeoutMs)
  try {
    const response = await fetch(call.url, {
      method: call.method,
      headers: [...call.headers, ...extraHeaders].map(([name, value]): [string, string] => [name, value]),
      redirect: 'manual',
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      ...(call.body === undefined ? {} : { body: call.body as Uint8Array<ArrayBuffer> }),
    })
    if (response.type === 'opaqueredirect') {
      throw new PeerHostError('response_mismatch', 'The function answered with a redirect, which a browser hides.', {
        hint: 'Call the function’s final URL.',
      })
    }
    const body = await readBody(response, LIMITS.canonicalResultBytes)
    return { status: response.status, headers: response.headers, body }
  } catch (cause) {
    signal?.throwIfAborted()
    if (isPeerHostError(cause)) throw cause
    throw new PeerHostError('gateway_unavailable', 'The request got no whole answer.', {
      cause,
      details: [`URL: ${new URL(call.url).origin}`],
      hint: 'Check the URL and that the gateway runs, then try again.',
    })
  }
}
