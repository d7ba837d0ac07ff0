export type Cases = Record<string, (question: { n: number }) => unknown>

/** A function's handler: the path names the case, and what the case gives is the answer as JSON. Its root lists the names. */
export function answerCase(cases: Cases): (request: Request) => Promise<Response> {
  return async (request) => {
    const path = new URL(request.url).pathname.slice(1)
    if (path === '') return Response.json(Object.keys(cases))
    const found = cases[path]
    if (!found) return new Response('no such case', { status: 404 })
    const value = await found((await request.json()) as { n: number })
    return value instanceof Response ? value : new Response(JSON.stringify(value, readable) ?? 'undefined')
  }
}

function readable(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  if (value instanceof Uint8Array) return Array.from(value)
  if (value instanceof Map || value instanceof Set) return [...value]
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}
