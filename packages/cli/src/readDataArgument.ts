import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { UsageError } from './command.ts'

/** The bytes of `-d`, as curl reads it: text, `@file`, or `@-` for stdin. */
export function readDataArgument(cwd: string, data: string): Uint8Array {
  if (!data.startsWith('@')) return new TextEncoder().encode(data)
  const name = data.slice(1)
  try {
    return name === '-' ? readFileSync(0) : readFileSync(resolve(cwd, name))
  } catch {
    throw new UsageError(`${name} cannot be read.`)
  }
}
