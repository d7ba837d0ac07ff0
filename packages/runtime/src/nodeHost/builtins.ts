/**
 * The Node modules that a function may require: those that compute. Nothing that reaches files, sockets, processes or
 * threads is here. `allowedBuiltins` of @peerhost/bundler is the same list: it refuses everything else at build time.
 */
export const functionBuiltins = [
  'assert',
  'assert/strict',
  'async_hooks',
  'buffer',
  'crypto',
  'events',
  'path',
  'path/posix',
  'path/win32',
  'punycode',
  'querystring',
  'stream',
  'stream/consumers',
  'stream/promises',
  'stream/web',
  'string_decoder',
  'timers',
  'timers/promises',
  'url',
  'util',
  'util/types',
  'zlib',
] as const

const allowed = new Set<string>(functionBuiltins)
const load = process.getBuiltinModule

/** The `require` of a function. Throws `MODULE_NOT_FOUND` for everything that is not on the list. */
export function requireBuiltin(id: unknown): unknown {
  const name = typeof id === 'string' ? id.replace(/^node:/, '') : ''
  if (allowed.has(name)) return load(`node:${name}`)
  throw Object.assign(new Error(`The module '${String(id)}' is not available to functions.`), {
    code: 'MODULE_NOT_FOUND',
  })
}
