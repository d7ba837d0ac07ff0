import type { HeaderPair } from '@peerhost/protocol'

/**
 * `access-control-expose-headers` is one of them because the x402 client sends it as a request header with the paid
 * retry, and a browser blocks that retry otherwise.
 */
const allowedHeaders = [
  'content-type',
  'authorization',
  'idempotency-key',
  'traceparent',
  'payment-signature',
  'x-payment',
  'x-request-id',
  'sign-in-with-x',
  'access-control-expose-headers',
  'peerhost-lane',
  'peerhost-salt',
].join(', ')

const exposedHeaders = [
  'payment-required',
  'payment-response',
  'x-payment-response',
  'extension-responses',
  'x-request-id',
  'ratelimit',
  'ratelimit-policy',
  'retry-after',
  'peerhost-request-id',
  'peerhost-receipt',
  'peerhost-worker',
]

const methods = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'

/** Answers a preflight. It never reaches a function, so it is never priced and never runs anything. */
export function preflightHeaders(requested: string | undefined): HeaderPair[] {
  // Names are mirrored, never values; without credentials that gives away nothing.
  const mirrored = (requested ?? '').split(',').map((name) => name.trim().toLowerCase())
  const extra = mirrored.filter((name) => /^[a-z0-9-]{1,64}$/.test(name) && !allowedHeaders.includes(name)).slice(0, 32)
  return [
    ['access-control-allow-origin', '*'],
    ['access-control-allow-methods', methods],
    ['access-control-allow-headers', [allowedHeaders, ...extra].join(', ')],
    ['access-control-max-age', '7200'],
    ['vary', 'access-control-request-headers'],
  ]
}

/** What every answer carries. A function's own `access-control-*` headers win; what must be readable stays so. */
export function corsHeaders(own: readonly HeaderPair[] = []): HeaderPair[] {
  const origin = own.find(([name]) => name === 'access-control-allow-origin')
  const exposed = own.filter(([name]) => name === 'access-control-expose-headers').map(([, value]) => value)
  return [
    ...(origin ? [] : [['access-control-allow-origin', '*'] as const]),
    ['access-control-expose-headers', [...exposed, ...exposedHeaders].join(', ')],
  ]
}
