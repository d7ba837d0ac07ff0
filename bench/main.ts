/**
 * `npm run -s bench -- <name>`: prints what was measured for people on stderr and ends with one line of JSON on stdout.
 * A benchmark is a file of this folder that exports `run`.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const name = process.argv[2] ?? ''
const file = join(import.meta.dirname, `${name}.ts`)
const names = readdirSync(import.meta.dirname).filter((entry) => /^[a-z]+\.ts$/.test(entry) && !['main.ts', 'median.ts'].includes(entry)).map((entry) => entry.slice(0, -3))
if (!/^[a-z]+$/.test(name) || !names.includes(name) || !existsSync(file)) {
  console.error(`Usage: npm run -s bench -- <${names.join(' | ')}>`)
  process.exit(2)
}
const { run } = (await import(file)) as { run: () => Promise<Record<string, number>> }
console.log(JSON.stringify(await run()))
