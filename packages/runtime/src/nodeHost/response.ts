import type { Answer } from '../messages.ts'

// Taken before any user code runs, which may put another class in its place.
const WebResponse = globalThis.Response
const Bytes = globalThis.Uint8Array

/** What a host may answer: a response within its limits, or the end that stands for it. */
export type ReadResponse =
  | { readonly type: 'answer'; readonly answer: Answer; readonly body: Uint8Array }
  | { readonly type: 'not-a-response' }
  | { readonly type: 'too-large' }

/** Reads what a handler returned, chunk by chunk, and stops at the first byte over the limit. */
export async function readResponse(value: unknown, method: string, limitBytes: number): Promise<ReadResponse> {
  if (!(value instanceof WebResponse) || value.status < 200) return { type: 'not-a-response' }
  const answer = { status: value.status, headers: [...value.headers] }
  if (method === 'HEAD' || value.body === null) return { type: 'answer', answer, body: new Uint8Array(0) }
  const chunks: Uint8Array[] = []
  const reader = value.body.getReader()
  for (let length = 0; ; ) {
    const { done, value: chunk } = await reader.read()
    if (done) return { type: 'answer', answer, body: Buffer.concat(chunks) }
    if (!(chunk instanceof Bytes)) return { type: 'not-a-response' }
    // A copy of what is really there: the function may write to its buffer again, and the class may be its own.
    const copy = new Bytes(chunk)
    length += copy.length
    if (length > limitBytes) return { type: 'too-large' }
    chunks.push(copy)
  }
}
