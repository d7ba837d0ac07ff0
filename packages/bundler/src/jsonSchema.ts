import { encodeCanonicalJson, isPeerHostError, LIMITS } from '@peerhost/protocol'
import { type Located, type Problem, problemAt } from './located.ts'

/** Deepest nesting of a schema: agents' tools and validators recurse over it. */
const maxDepth = 16
/** Largest schema as canonical JSON, so that two of them and a description fit into one metadata document. */
const maxBytes = Math.floor(LIMITS.metadataBytes * 0.45)

/** What is wrong with the schema at `path`; nothing when it may be published. */
export function checkJsonSchema(located: Located, path: readonly string[], schema: unknown): Problem[] {
  const problems: Problem[] = []
  const visit = (value: unknown, at: readonly string[]): void => {
    if (at.length - path.length > maxDepth) {
      problems.push(problemAt(located, at, `is nested deeper than ${maxDepth} levels.`))
      return
    }
    if (typeof value === 'number' && !Number.isSafeInteger(value)) {
      problems.push(problemAt(located, at, 'is not a whole number: numbers with a fraction have no place here.'))
    }
    if (at.at(-1) === '$ref' && typeof value === 'string' && !value.startsWith('#')) {
      problems.push(problemAt(located, at, 'may only refer to a part of this schema (#…).'))
    }
    if (typeof value !== 'object' || value === null) return
    for (const [key, item] of Object.entries(value)) visit(item, [...at, key])
  }
  visit(schema, path)
  return problems.length > 0 ? problems : checkSize(located, path, schema)
}

function checkSize(located: Located, path: readonly string[], schema: unknown): Problem[] {
  try {
    const { length } = encodeCanonicalJson(schema as Parameters<typeof encodeCanonicalJson>[0])
    return length <= maxBytes ? [] : [problemAt(located, path, `has ${length} bytes, the limit is ${maxBytes}.`)]
  } catch (error) {
    if (!isPeerHostError(error)) throw error
    return [problemAt(located, path, `cannot be published: ${[error.message, ...error.details].join(' ')}`)]
  }
}
