import type { CallToolResult, McpServer, ServerContext, ToolAnnotations } from '@modelcontextprotocol/server'
import { isPeerHostError, PeerHostError } from '@peerhost/protocol'
import type { z } from 'zod'
import type { CallDeps } from '../calls/callFunction.ts'
import type { Catalogue } from '../catalogue/catalogue.ts'
import { sanitizeText } from '../catalogue/sanitizeText.ts'
import type { PolicyReading } from '../spending/policy.ts'

/** What every tool works with. */
export type ToolDeps = CallDeps & {
  catalogue: Catalogue
  policy: () => Promise<PolicyReading>
  /** Tool calls under way: a server that stops waits for them. */
  running: Set<Promise<unknown>>
}

/** One tool: schema in, structure out. `run` throws `PeerHostError`s; they become results the model can act on. */
export type ToolDefinition<Input extends z.ZodObject, Output extends z.ZodObject> = {
  name: string
  title: string
  description: string
  input: Input
  output: Output
  annotations: ToolAnnotations
  run: (deps: ToolDeps, input: z.output<Input>, signal: AbortSignal) => Promise<ToolOutcome<z.input<Output>>>
}

/** `text` for people and models, `structured` for programs; `content` replaces `text` where there is more than text. */
type ToolOutcome<T> = {
  structured: T
  text?: string
  content?: CallToolResult['content']
  isError?: boolean
  _meta?: Record<string, unknown>
}

/** Types a definition; adds nothing. */
export function defineTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  definition: ToolDefinition<Input, Output>,
): ToolDefinition<Input, Output> {
  return definition
}

/** Registers a tool on one server. */
export function registerTool<Input extends z.ZodObject, Output extends z.ZodObject>(
  server: McpServer,
  deps: ToolDeps,
  definition: ToolDefinition<Input, Output>,
): void {
  const { name, title, description, input, output, annotations } = definition
  const handler = (values: z.output<Input>, context: ServerContext) =>
    answering(deps, name, async () => {
      const outcome = await definition.run(deps, values, context.mcpReq.signal)
      const { structured, text, content, isError, _meta } = outcome
      return {
        content: content ?? [{ type: 'text' as const, text: text ?? JSON.stringify(structured) }],
        // A failed call is told in its content: older clients check structured content even of errors.
        ...(isError ? { isError } : { structuredContent: structured as Record<string, unknown> }),
        ...(_meta && { _meta }),
      }
    })
  server.registerTool(
    name,
    { title, description, inputSchema: input, outputSchema: output, annotations },
    handler as never,
  )
}

/** Runs a tool; known errors become error results with code and hint, unknown ones are thrown. */
export async function answering(
  deps: Pick<ToolDeps, 'catalogue' | 'log' | 'running'>,
  name: string,
  run: () => Promise<CallToolResult>,
): Promise<CallToolResult> {
  const call = run()
  deps.running.add(call)
  try {
    return await call
  } catch (cause) {
    const error = inTime(cause)
    if (!isPeerHostError(error)) {
      deps.log('tool failed', {
        tool: name,
        error: error instanceof Error ? (error.stack ?? error.message) : 'unknown',
      })
      throw new Error('The tool failed inside the server. Its log on stderr says why.', { cause: error })
    }
    // The listing is older than the truth.
    if (['price_drift', 'payee_changed', 'function_not_found'].includes(error.code)) deps.catalogue.expire()
    deps.log('tool refused', { tool: name, code: error.code })
    return errorResult(error)
  } finally {
    deps.running.delete(call)
  }
}

function inTime(error: unknown): unknown {
  const name = error instanceof Error ? error.name : ''
  if (name !== 'TimeoutError' && name !== 'AbortError') return error
  const message = name === 'TimeoutError' ? 'There was no answer in time.' : 'The call was cancelled.'
  return new PeerHostError('gateway_unavailable', message, { cause: error, hint: 'Nothing was paid. Try again later.' })
}

/** A known error as a result: code, what happened, what to do. Its words may come from a gateway: untrusted. */
function errorResult(error: PeerHostError): CallToolResult {
  const message = sanitizeText(error.message, 400)
  const hint = sanitizeText(error.hint, 400)
  const details = error.details.slice(0, 8).map((detail) => sanitizeText(detail, 200))
  const lines = [`${error.code}: ${message}`, ...details, ...(hint === '' ? [] : [`What to do: ${hint}`])]
  return {
    isError: true,
    content: [{ type: 'text', text: lines.join('\n') }],
    _meta: { 'dev.peerhost/error': { code: error.code, message, details, hint } },
  }
}
