import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { documentVectors } from './documents.ts'
import { hashVectors } from './hashes.ts'
import { messageVectors } from './messages.ts'

/**
 * Writes every vector file of this folder. Same code, same files.
 * `node --conditions=@peerhost/source vectors/generate.ts [--check]`; with `--check` nothing is written and a
 * difference makes the exit code 1.
 */
function main(flags: readonly string[]): number {
  let stale = 0
  for (const [name, file] of Object.entries({ ...hashVectors(), ...messageVectors(), ...documentVectors() })) {
    const path = fileURLToPath(new URL(`${name}.json`, import.meta.url))
    const text = `${JSON.stringify({ ...file, count: file.cases.length }, null, 2)}\n`
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
    stale += 1
    if (!flags.includes('--check')) writeFileSync(path, text)
    process.stderr.write(`${flags.includes('--check') ? 'differs' : 'written'}: vectors/${name}.json\n`)
  }
  return flags.includes('--check') && stale > 0 ? 1 : 0
}

process.exitCode = main(process.argv.slice(2))
