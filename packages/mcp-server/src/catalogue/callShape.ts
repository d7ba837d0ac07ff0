import { fromJsonSchema, type JsonSchemaType, type StandardSchemaWithJSON } from '@modelcontextprotocol/server'
import { fromBase64, PeerHostError } from '@peerhost/protocol'
import type { CallTarget, FunctionCard } from '../peerHostPort.ts'
import { type PortableResult, type PortableSchema, portableSchema, type Schema } from './portableSchema.ts'

/** How the arguments of a tool become one HTTP request, and the schema they have to meet. */
export type CallShape = {
  schema: PortableSchema
  strict: Schema | undefined
  notes: string[]
  toTarget: (values: Record<string, unknown>) => CallTarget
}

/** The most a file may weigh in an argument: models and hosts cut longer ones. */
const maximumFileCharacters = 90_000

const known = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']
const bodyless = ['GET', 'DELETE', 'HEAD']

/**
 * Derives the call shape of a function: with an input schema, its properties go into the query (methods without a body) or
 * into a JSON body; without one, the arguments are the request itself. Returns why not when the schema cannot be used.
 */
export function callShape(
  card: FunctionCard,
): { type: 'usable'; shape: CallShape } | { type: 'unusable'; reason: string } {
  const methods = card.methods.map((method) => method.toUpperCase()).filter((method) => known.includes(method))
  if (card.input === undefined || card.input === true || card.input === null)
    return { type: 'usable', shape: rawShape(card, methods) }
  const mapped = portableSchema(card.input)
  if (mapped.type === 'unusable') return mapped
  const method = methodFor(methods, mapped)
  const check = hasAlternatives(mapped.strict) ? fromJsonSchema(mapped.strict as JsonSchemaType) : undefined
  const shape: CallShape = {
    schema: mapped.schema,
    strict: mapped.strict,
    notes: mapped.notes,
    toTarget: (values) => {
      if (check && !mapped.isWrapped) assertFits(check, originalNames(mapped, values))
      return typedTarget(card, method, mapped, values)
    },
  }
  return { type: 'usable', shape }
}

type Mapped = Extract<PortableResult, { type: 'portable' }>

function methodFor(methods: readonly string[], mapped: Mapped): string {
  const fitsQuery = !mapped.isWrapped && Object.values(mapped.schema.properties).every(isQueryable)
  const withBody = methods.find((method) => !bodyless.includes(method) && method !== 'OPTIONS')
  if (methods.includes('GET') && (fitsQuery || !withBody)) return 'GET'
  return withBody ?? methods[0] ?? (fitsQuery ? 'GET' : 'POST')
}

function isQueryable(schema: Schema): boolean {
  const isScalar = (one: Schema) => ['string', 'number', 'integer', 'boolean'].includes(one.type as string)
  return isScalar(schema) || (schema.type === 'array' && isScalar((schema.items ?? {}) as Schema))
}

function hasAlternatives(strict: Schema): boolean {
  return ['oneOf', 'anyOf', 'allOf'].some((keyword) => strict[keyword] !== undefined)
}

/** The portable schema allows every mix of the alternatives; the function does not. */
function assertFits(check: StandardSchemaWithJSON, value: unknown): void {
  const checked = check['~standard'].validate(value)
  if (checked instanceof Promise) throw new TypeError('JSON Schemas are checked synchronously')
  if (!checked.issues) return
  throw new PeerHostError('request_invalid', 'The arguments fit none of the alternatives that the function takes.', {
    details: checked.issues.slice(0, 5).map((issue) => issue.message.slice(0, 200)),
    hint: 'Nothing was sent and nothing was paid. See peer_describe for the schema and its notes.',
  })
}

function originalNames(mapped: Mapped, values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [mapped.renamed[name] ?? name, value]))
}

function typedTarget(card: FunctionCard, method: string, mapped: Mapped, values: Record<string, unknown>): CallTarget {
  const input = Object.entries(originalNames(mapped, values))
  const base = { functionId: card.functionId, method, path: '' }
  if (bodyless.includes(method)) {
    const query = input.flatMap(([name, value]) =>
      (Array.isArray(value) ? value : [value]).map((one) => [name, queryText(one)] as const),
    )
    return { ...base, query }
  }
  const body = mapped.isWrapped ? values.body : originalNames(mapped, values)
  return { ...base, query: [], contentType: 'application/json', body: new TextEncoder().encode(JSON.stringify(body)) }
}

function queryText(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
}

/** The request itself, for functions that declare no input. */
function rawShape(card: FunctionCard, methods: readonly string[]): CallShape {
  const choices = methods.length > 0 ? methods : known.slice(0, 5)
  const text = (description: string, maxLength: number): Schema => ({ type: 'string', description, maxLength })
  const schema: PortableSchema = {
    type: 'object',
    properties: {
      method: { type: 'string', enum: [...choices], description: `HTTP method; ${choices[0]} when absent` },
      path: text("What follows the function's own URL, beginning with a slash", 2_048),
      query: { type: 'object', description: 'Query parameters', additionalProperties: { type: 'string' } },
      json: { description: 'Body, sent as JSON' },
      text: text('Body, sent as plain text', 262_144),
      base64: text('Body of a small file, as base64', maximumFileCharacters),
      content_type: text('Content type of text or base64', 200),
    },
    required: [],
    additionalProperties: false,
  }
  return { schema, strict: undefined, notes: [], toTarget: (values) => rawTarget(card, choices[0] ?? 'GET', values) }
}

type RawArguments = {
  method?: string
  path?: string
  query?: Record<string, string>
  json?: unknown
  text?: string
  base64?: string
  content_type?: string
}

function rawTarget(card: FunctionCard, firstMethod: string, values: RawArguments): CallTarget {
  const bodies = (['json', 'text', 'base64'] as const).filter((name) => values[name] !== undefined)
  if (bodies.length > 1)
    throw new PeerHostError('request_invalid', `Give one body, not ${bodies.join(' and ')}.`, {
      hint: 'Nothing was sent and nothing was paid.',
    })
  const path = values.path ?? ''
  if (path !== '' && !path.startsWith('/'))
    throw new PeerHostError('request_invalid', 'The path has to begin with a slash.', { hint: 'Nothing was paid.' })
  const target: CallTarget = {
    functionId: card.functionId,
    method: (values.method ?? (bodies.length > 0 && firstMethod === 'GET' ? 'POST' : firstMethod)).toUpperCase(),
    path,
    query: Object.entries(values.query ?? {}),
  }
  return { ...target, ...rawBody(values) }
}

function rawBody(values: RawArguments): Pick<CallTarget, 'body' | 'contentType'> {
  const encoder = new TextEncoder()
  if (values.json !== undefined)
    return { contentType: 'application/json', body: encoder.encode(JSON.stringify(values.json)) }
  if (values.text !== undefined)
    return { contentType: values.content_type ?? 'text/plain; charset=utf-8', body: encoder.encode(values.text) }
  if (values.base64 !== undefined)
    return { contentType: values.content_type ?? 'application/octet-stream', body: fromBase64(values.base64) }
  return {}
}
