import { createFetchedFrames } from '../fetchedFrames.ts'
import { writeFrame } from '../hostPipe.ts'
import type { Fetched } from '../messages.ts'

type Head = { status: number; headers: [string, string][]; url: string; redirected: boolean }

// Taken before any user code runs.
const { Request: WebRequest, Response: WebResponse } = globalThis
const later = setImmediate

/**
 * `fetch` for a function with a network: its calls leave over the pipe to the supervisor, and end in the order in which
 * they began. While it waits for one, this process does nothing else.
 */
export function createFetch(): typeof fetch {
  const frames = createFetchedFrames()
  let calls = 0
  let before: Promise<unknown> = Promise.resolve()
  return async (input, init) => {
    const request = new WebRequest(input, init)
    request.signal.throwIfAborted()
    const head = { method: request.method, url: request.url, headers: [...request.headers] }
    const body = new Uint8Array(await request.arrayBuffer())
    const call = calls
    calls += 1
    writeFrame({ type: 'fetch', call, head: JSON.stringify(head) }, body)
    const fetched = before.then(() => new Promise<void>((done) => later(done))).then(() => frames.next(call))
    before = fetched.catch(() => {})
    return responseOf(await fetched)
  }
}

function responseOf({ text, error, body }: Fetched): Response {
  if (error !== '') throw new TypeError(text)
  const { status, headers, url, redirected } = JSON.parse(text) as Head
  const bodiless = status === 204 || status === 205 || status === 304
  const response = new WebResponse(bodiless ? null : new Uint8Array(body), { status, headers })
  Object.defineProperties(response, { url: { value: url }, redirected: { value: redirected } })
  return response
}
