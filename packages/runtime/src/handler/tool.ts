import type { Handler } from './handler.ts'

/** `export function tool(input, context)`: named arguments in, a value out. What agents call, without any HTTP in it. */
export type Tool = (input: Record<string, unknown>, context: unknown) => unknown

/**
 * A tool as a handler: `POST` with a JSON object (or nothing) as body; what it returns is the JSON of the answer, nothing
 * is 204, and a `Response` stays what it is. A body of another kind is a 400 that says so.
 */
export function toolHandler(tool: Tool): Handler {
  return async (request, context) => {
    const text = await request.text()
    const input = text === '' ? {} : parse(text)
    if (typeof input !== 'object' || input === null || Array.isArray(input)) return notAnObject()
    const output = await tool(input as Record<string, unknown>, context)
    if (output instanceof Response) return output
    return output === undefined ? new Response(null, { status: 204 }) : Response.json(output)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function notAnObject(): Response {
  const problem = {
    code: 'request_invalid',
    detail: 'Send the arguments as one JSON object in the body of a POST request.',
    status: 400,
    title: 'The body is not a JSON object',
  }
  return Response.json(problem, { status: 400, headers: { 'content-type': 'application/problem+json' } })
}
