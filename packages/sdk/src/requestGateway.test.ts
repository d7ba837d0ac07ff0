import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { problemOf, requestGateway } from './requestGateway.ts'

const schema = z.object({ a: z.number() })
const ask = (response: () => Response, signal?: AbortSignal) =>
  requestGateway(
    { gatewayUrl: 'http://user:password@gateway.example', fetch: async () => response() },
    { path: '/v1/x', schema, signal },
  )

describe('requestGateway', () => {
  test('gives the parsed answer', async () => {
    expect(await ask(() => Response.json({ a: 1, more: 2 }))).toEqual({ a: 1 })
  })

  test('throws what the problem document says', async () => {
    const problem = { code: 'no_worker', detail: 'Nobody is here.', hint: 'Wait.', requestId: '0x1', status: 503 }
    await expect(ask(() => Response.json(problem, { status: 503 }))).rejects.toMatchObject({
      code: 'no_worker',
      message: 'Nobody is here.',
      hint: 'Wait.',
      details: ['Status: 503', 'Request: 0x1'],
    })
  })

  test('does not take another server’s error for the gateway’s, and shows no password', async () => {
    const answers = [
      () => new Response('<h1>Bad gateway</h1>', { status: 502 }),
      () => Response.json({ code: 'something_else' }, { status: 404 }),
      () => Response.json({ a: 'text' }),
      () => new Response('not json'),
      () => new Response(new Uint8Array(17_000_000)),
      (): Response => {
        throw new TypeError('fetch failed')
      },
    ]
    for (const answer of answers) {
      const error = await ask(answer).catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'gateway_unavailable', hint: expect.any(String) })
      expect(JSON.stringify((error as { details: unknown }).details)).not.toContain('password')
    }
  })

  test('reads any bytes as a problem or as none, without throwing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => new TextEncoder().encode(text)),
        ),
        (bytes) => {
          expect(problemOf(bytes)?.code ?? 'none').toBeTypeOf('string')
        },
      ),
    )
    expect(problemOf(new TextEncoder().encode('{"code":"internal","hint":7,"retryable":"yes"}'))).toEqual({
      code: 'internal',
      title: undefined,
      detail: undefined,
      hint: undefined,
      requestId: undefined,
      retryable: false,
    })
  })
})
