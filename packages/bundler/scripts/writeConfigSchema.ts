// Writes config-schema.json, the JSON schema of peerhost.jsonc; with --check it only compares and fails when it is stale.
import { readFileSync, writeFileSync } from 'node:fs'
import { projectConfigJsonSchema } from '../src/configSchema.ts'

const file = new URL('../config-schema.json', import.meta.url)
const text = JSON.stringify(projectConfigJsonSchema())

if (!process.argv.includes('--check')) {
  writeFileSync(file, `${text}\n`)
} else if (JSON.stringify(JSON.parse(readFileSync(file, 'utf8'))) !== text) {
  process.stderr.write('config-schema.json is stale: run `npm run schema -w packages/bundler`.\n')
  process.exitCode = 1
}
