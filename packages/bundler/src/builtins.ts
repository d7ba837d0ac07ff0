import { isBuiltin } from 'node:module'

/**
 * The Node modules a function may require. The runtime in the container hands out exactly these; nothing here reaches
 * files, the network, other processes or threads.
 */
export const allowedBuiltins = [
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

/** Modules that are nothing but a global: bundled as a reference to it, so that the runtime need not offer them. */
export const globalBuiltins: Readonly<Record<string, string>> = { console: 'console', process: 'process' }

/** `fs` and `node:fs` → `fs`; `undefined` for what is no module of Node. */
export function builtinName(specifier: string): string | undefined {
  return isBuiltin(specifier) ? specifier.replace(/^node:/, '') : undefined
}

/** True when a function may require `specifier` (with or without `node:`). */
export function isAllowedBuiltin(specifier: string): boolean {
  const name = builtinName(specifier)
  return name !== undefined && (allowedBuiltins as readonly string[]).includes(name)
}
