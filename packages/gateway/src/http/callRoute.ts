import type { IncomingMessage } from 'node:http'
import { type HeaderPair, LIMITS } from '@peerhost/protocol'
import type { PaymentGate } from '../payment/x402.ts'
import type { Answer, Incoming } from '../walk/incoming.ts'
import { preflightHeaders } from './cors.ts'
import { readBody } from './readBody.ts'
import { type Exchange, write, writeAnswer } from './write.ts'

export type CallDeps = {
  walk: (incoming: Incoming) => Promise<Answer>
  gate: PaymentGate
  bodyTimeoutMs: number
}

/** Serves a request to a function. OPTIONS is answered here and never reaches it. */
export async function serveCall(
  deps: CallDeps,
  request: IncomingMessage,
  url: { host: string; path: string; query: string },
  exchange: Exchange,
): Promise<void> {
  if (request.method === 'OPTIONS') {
    const requested = request.headers['access-control-request-headers']
    return write(exchange, 204, preflightHeaders(requested), new Uint8Array())
  }
  const body = await readBody(request, { maxBytes: LIMITS.requestBodyBytes, timeoutMs: deps.bodyTimeoutMs })
  const answer = await deps.walk({
    method: request.method ?? 'GET',
    ...url,
    headers: headerPairs(request.rawHeaders),
    body,
  })
  writeAnswer(deps.gate, exchange, answer)
}

function headerPairs(raw: readonly string[]): HeaderPair[] {
  const pairs: HeaderPair[] = []
  for (let index = 0; index + 1 < raw.length; index += 2) pairs.push([raw[index] ?? '', raw[index + 1] ?? ''])
  return pairs
}
