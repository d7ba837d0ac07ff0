import { type Tool, toolHandler } from './tool.ts'

/** What a function's module gives us: one way to answer a request. */
export type Handler = (request: Request, context: Context) => unknown

/**
 * Last argument of a handler. `waitUntil` delays the end of the execution, not its answer's content; `env` is what `fetch`
 * has as its second argument.
 */
export type Context = { env: Readonly<Record<string, string>>; waitUntil: (promise: unknown) => void }

const methods = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']

/**
 * Finds the handler in a module's exports: `{ fetch }` or a bare function as default export (or as the exports
 * themselves), else `tool`, else the export named after the method. Undefined: this is not a function's module.
 */
export function findHandler(exports: unknown, method: string): Handler | undefined {
  for (const candidate of [read(exports, 'default'), read(read(exports, 'default'), 'default'), exports]) {
    const fetch = read(candidate, 'fetch')
    if (typeof fetch !== 'function' && typeof candidate !== 'function') continue
    if (isForbiddenMethod(method)) return () => methodNotAllowed(methods)
    return typeof fetch === 'function'
      ? (request, context) => fetch.call(candidate, request, context.env, context)
      : (request, context) => (candidate as Handler)(request, context)
  }
  const tool = read(exports, 'tool')
  if (typeof tool === 'function') return methodHandler({ POST: toolHandler(tool as Tool) }, ['POST'], method)
  const offered = methods.filter((name) => typeof read(exports, name) === 'function')
  return offered.length === 0 ? undefined : methodHandler(exports, offered, method)
}

function methodHandler(exports: unknown, offered: readonly string[], method: string): Handler {
  const name = method === 'HEAD' && !offered.includes('HEAD') ? 'GET' : method
  if (offered.includes(name)) {
    const handler = read(exports, name) as Handler
    return (request, context) => handler(request, context)
  }
  const allow = [...new Set([...offered, 'OPTIONS', ...(offered.includes('GET') ? ['HEAD'] : [])])].sort()
  return method === 'OPTIONS'
    ? () => new Response(null, { status: 204, headers: { allow: allow.join(', ') } })
    : () => methodNotAllowed(allow)
}

/** Methods for which the web platform has no `Request`. */
export function isForbiddenMethod(method: string): boolean {
  return method === 'CONNECT' || method === 'TRACE' || method === 'TRACK'
}

function methodNotAllowed(methods: readonly string[]): Response {
  const allow = methods.join(', ')
  const problem = {
    code: 'method_not_allowed',
    detail: `The function answers ${allow}.`,
    status: 405,
    title: 'The function does not have this method',
  }
  return new Response(JSON.stringify(problem), {
    status: 405,
    headers: { allow, 'content-type': 'application/problem+json' },
  })
}

function read(value: unknown, name: string): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return undefined
  return (value as Record<string, unknown>)[name]
}
