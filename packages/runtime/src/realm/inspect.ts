const mostEntries = 100
const deepest = 4

/** A value as one line of text for a log: what it holds, not how to make it again. Runs no getter. */
export function inspect(value: unknown, depth = 0, above: readonly object[] = []): string {
  if (typeof value === 'string') return depth === 0 ? value : JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'symbol') return String(value)
  if (typeof value === 'function') return `[Function ${nameOf(value) || '(anonymous)'}]`
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  if (above.includes(value)) return '[Circular]'
  if (value instanceof Error) return depth === 0 ? String(value.stack ?? value) : `[${value}]`
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (value instanceof RegExp) return String(value)
  if (depth >= deepest) return Array.isArray(value) ? '[Array]' : `[${classOf(value) || 'Object'}]`
  const inner = (part: unknown) => inspect(part, depth + 1, [...above, value])
  return inspectParts(value, inner)
}

function inspectParts(value: object, inner: (part: unknown) => string): string {
  if (Array.isArray(value)) return list('[', value.map(inner), ']')
  if (ArrayBuffer.isView(value) && 'length' in value)
    return `${classOf(value)}(${value.length}) ${list('[', Array.from(value as Uint8Array, String), ']')}`
  if (value instanceof Map) return `Map(${value.size}) ${list('{', pairs(value, inner), '}')}`
  if (value instanceof Set) return `Set(${value.size}) ${list('{', Array.from(value, inner), '}')}`
  if (value instanceof Promise) return 'Promise {}'
  const name = classOf(value)
  const members = Object.entries(Object.getOwnPropertyDescriptors(value))
    .filter(([, { enumerable }]) => enumerable)
    .map(([key, member]) => `${key}: ${'value' in member ? inner(member.value) : '[Getter]'}`)
  return `${name === 'Object' || name === '' ? '' : `${name} `}${list('{', members, '}')}`
}

function pairs(map: ReadonlyMap<unknown, unknown>, inner: (part: unknown) => string): string[] {
  return Array.from(map, ([key, value]) => `${inner(key)} => ${inner(value)}`)
}

function list(open: string, parts: readonly string[], close: string): string {
  if (parts.length === 0) return `${open}${close}`
  const shown = parts.slice(0, mostEntries)
  if (parts.length > shown.length) shown.push(`... ${parts.length - shown.length} more`)
  return open === '[' ? `[ ${shown.join(', ')} ]` : `{ ${shown.join(', ')} }`
}

function classOf(value: object): string {
  const maker = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(value) ?? {}, 'constructor')?.value
  return typeof maker === 'function' ? nameOf(maker) : ''
}

function nameOf(value: object): string {
  const name: unknown = Object.getOwnPropertyDescriptor(value, 'name')?.value
  return typeof name === 'string' ? name : ''
}
