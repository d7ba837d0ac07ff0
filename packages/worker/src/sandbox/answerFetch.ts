import type { Fetch, Fetched } from '@peerhost/runtime'
import { z } from 'zod'
import type { Egress, EgressAnswer } from './egress.ts'

const headSchema = z.object({
  method: z.string(),
  url: z.string(),
  headers: z.array(z.tuple([z.string(), z.string()])),
})

/**
 * Has one outgoing call of a function answered, and puts what came back into the words of the sandbox. Never rejects: a
 * call that cannot be made is a `fetch` that failed.
 */
export async function answerFetch(
  egress: Egress | undefined,
  { call, head, body }: Fetch,
  signal: AbortSignal,
): Promise<Fetched> {
  const failed = (text: string): Fetched => ({ call, text, error: 'TypeError', body: new Uint8Array(0) })
  const read = headSchema.safeParse(parse(head))
  if (!egress || !read.success) return failed('fetch failed: a function has no network.')
  let answer: EgressAnswer
  try {
    answer = await egress({ index: call, ...read.data, body }, signal)
  } catch {
    return failed('fetch failed: the call could not be made.')
  }
  if (answer.type === 'refused') return failed(`fetch failed: ${answer.message} (${answer.code})`)
  const { status, headers, url, redirected } = answer
  return { call, text: JSON.stringify({ status, headers, url, redirected }), error: '', body: answer.body }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
