import type { ServerResponse } from 'node:http'
import type { HeaderPair } from '@peerhost/protocol'
import type { PaymentGate } from '../payment/x402.ts'
import type { Answer } from '../walk/incoming.ts'
import { corsHeaders } from './cors.ts'
import { type Problem, problemOf } from './problem.ts'

/** What one HTTP exchange knows of itself. */
export type Exchange = { response: ServerResponse; requestId: string; headers: readonly HeaderPair[] }

/** Writes status, headers and body exactly: no added charset, no entity tag. Names that come twice are sent twice. */
export function write(
  { response, headers: common }: Exchange,
  status: number,
  headers: readonly HeaderPair[],
  body: Uint8Array,
): void {
  if (response.headersSent || response.destroyed) return
  for (const [name, value] of [...common, ...headers]) response.appendHeader(name, value)
  if (!response.req.complete) response.setHeader('connection', 'close')
  const isBodiless = status === 204 || status === 304 || response.req.method === 'HEAD'
  if (!isBodiless) response.setHeader('content-length', body.length)
  response.writeHead(status)
  response.end(isBodiless ? undefined : body)
}

/** Writes JSON of our own. */
export function writeJson(
  exchange: Exchange,
  status: number,
  value: unknown,
  headers: readonly HeaderPair[] = [],
): void {
  const body = new TextEncoder().encode(JSON.stringify(value))
  write(exchange, status, [['content-type', 'application/json'], ...corsHeaders(), ...headers], body)
}

/** Writes an error as `application/problem+json`. */
export function writeProblem(exchange: Exchange, thrown: unknown): Problem {
  const problem = problemOf(thrown, { requestId: exchange.requestId })
  const own = problem.headers.filter(([name]) => !exchange.headers.some(([common]) => common === name))
  const body = new TextEncoder().encode(JSON.stringify(problem.body))
  write(exchange, problem.status, [...own, ...corsHeaders()], body)
  return problem
}

/** Writes what the walk ended in. */
export function writeAnswer(gate: PaymentGate, exchange: Exchange, answer: Answer): void {
  const paid: HeaderPair[] = answer.payment ? [gate.response(answer.payment.payment, answer.payment.collected)] : []
  if (answer.type === 'payment-required') {
    writeChallenge(gate, exchange, answer, paid)
    return
  }
  const headers = answer.isPriced ? privately(answer.headers) : answer.headers
  const own = headers.filter(([name]) => name !== 'access-control-expose-headers')
  write(
    exchange,
    answer.status,
    [
      ...own,
      ...corsHeaders(answer.headers),
      ['peerhost-request-id', answer.requestId],
      ['peerhost-worker', answer.worker],
      ['peerhost-receipt', answer.receipt],
      ...paid,
    ],
    answer.body,
  )
}

/** 402 for both generations of clients: the header is v2's, the body v1's, and a problem at the same time. */
function writeChallenge(
  gate: PaymentGate,
  exchange: Exchange,
  answer: Extract<Answer, { type: 'payment-required' }>,
  paid: readonly HeaderPair[],
): void {
  const challenge = gate.challenge(answer.terms, answer.resource, answer.detail)
  const { requestId } = exchange
  const body = {
    type: `urn:peerhost:problem:${answer.code}`,
    title: 'Payment required',
    status: 402,
    detail: answer.detail,
    code: answer.code,
    requestId,
    retryable: false,
    hint: 'Pay what PAYMENT-REQUIRED (x402 v2) or “accepts” (v1) asks, and repeat the request.',
    ...challenge.body,
  }
  write(
    exchange,
    402,
    [
      ['content-type', 'application/problem+json'],
      ['cache-control', 'no-store'],
      ['payment-required', challenge.header],
      ...paid,
      ...corsHeaders(),
    ],
    new TextEncoder().encode(JSON.stringify(body)),
  )
}

/** What was paid for is nobody else's: no shared cache may keep it, whatever the function says. */
function privately(headers: readonly HeaderPair[]): HeaderPair[] {
  const others = headers.filter(([name]) => name !== 'cache-control' && name !== 'expires')
  const directives = headers
    .filter(([name]) => name === 'cache-control')
    .flatMap(([, value]) => value.split(','))
    .map((directive) => directive.trim())
    .filter((directive) => directive !== '' && !/^(public|private|s-maxage)/i.test(directive))
  return [...others, ['cache-control', ['private', ...(directives.length > 0 ? directives : ['no-store'])].join(', ')]]
}
