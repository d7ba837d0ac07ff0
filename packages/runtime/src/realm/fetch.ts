import type { Bridge } from './bridge.ts'
import type { Headers } from './headers.ts'
import type { Operations } from './operations.ts'
import type { Request, RequestInit } from './request.ts'
import type { Response } from './response.ts'

export type FetchDeps = {
  bridge: Pick<Bridge, 'fetch'>
  operations: Operations
  Request: new (input: unknown, init?: RequestInit) => Request
  Response: new (body: unknown, init: { status: number; headers: [string, string][] }) => Response
  received: (response: Response, url: string, redirected: boolean) => Response
}

type Head = { status: number; headers: [string, string][]; url: string; redirected: boolean }

/** `fetch`: a message to the broker, or a refusal where the function declares no hosts. */
export function createFetch({ bridge, operations, Request, Response, received }: FetchDeps) {
  return async function fetch(input: unknown, init?: RequestInit): Promise<Response> {
    const request = new Request(input, init)
    request.signal.throwIfAborted()
    const head = { method: request.method, url: request.url, headers: pairsOf(request.headers) }
    const body = await request.bytes()
    const { text, bytes } = await operations
      .start((id) => {
        if (!bridge.fetch(id, JSON.stringify(head), body))
          throw new TypeError('fetch failed: a function has no network.')
      })
      .catch((cause: unknown) => {
        throw cause instanceof TypeError ? cause : new TypeError('fetch failed', { cause })
      })
    const { status, headers, url, redirected } = JSON.parse(text) as Head
    const bodiless = status === 204 || status === 205 || status === 304
    return received(new Response(bodiless ? null : bytes, { status, headers }), url, redirected)
  }
}

function pairsOf(headers: Headers): [string, string][] {
  return [...headers]
}
