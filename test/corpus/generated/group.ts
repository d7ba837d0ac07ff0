import type { Chance } from './chance.ts'

/** Functions that share a bundle. */
export type Group = {
  readonly name: string
  /** The bodies of async functions of `request`, by the path that leads to them. */
  readonly cases: Readonly<Record<string, string>>
  /** Those whose answer another implementation of the web platform gives too: no clock, no chance, no way of ours to end. */
  readonly isPortable: boolean
  readonly usesNode?: boolean
  /** Runs when the module is loaded. */
  readonly scope?: string
}

export type MakeGroup = (chance: Chance) => Group

const shared = `
const kind = (value) => Object.prototype.toString.call(value).slice(8, -1)
function plain(value) {
  if (typeof value === 'bigint') return value + 'n'
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : Number.isFinite(value) ? value : String(value)
  if (value === undefined || typeof value === 'function' || typeof value === 'symbol') return '<' + typeof value + '>'
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof ArrayBuffer) return ['ArrayBuffer', ...new Uint8Array(value)]
  if (ArrayBuffer.isView(value) && kind(value) !== 'DataView') return [kind(value), ...Array.from(value, plain)]
  if (value instanceof Map) return ['Map', ...Array.from(value, ([key, held]) => [plain(key), plain(held)])]
  if (value instanceof Set) return ['Set', ...Array.from(value, plain)]
  if (value instanceof Date) return 'Date ' + value.getTime()
  if (value instanceof RegExp) return String(value)
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Error || kind(value) === 'DOMException') return value.name
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, plain(held)]))
}
async function attempt(act) {
  try { return plain(await act()) } catch (error) { return 'throws ' + (error && error.name) }
}
const all = async (acts) => Promise.all(acts.map(attempt))
async function gather(stream) {
  const chunks = []
  for await (const chunk of stream) chunks.push(plain(chunk))
  return chunks
}
`

/** The source of a group's bundle. */
export function bundleOf({ cases, usesNode, scope }: Group): string {
  const table = Object.entries(cases).map(([name, body]) => `${JSON.stringify(name)}: async (request) => {${body}\n},`)
  return `${usesNode ? '"use node"\n' : ''}${shared}${scope ?? ''}
const cases = {
${table.join('\n')}
}
exports.default = async (request) => {
  const value = await cases[new URL(request.url).pathname.slice(1)](request)
  return value instanceof Response || value === nothing ? value : new Response(JSON.stringify(plain(value)))
}
const nothing = Symbol('nothing')
`
}
