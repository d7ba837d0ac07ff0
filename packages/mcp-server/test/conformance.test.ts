import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { serveHttp } from '../src/serveHttp.ts'
import { freePort } from './freePort.ts'
import { createTestServer, type TestServer } from './testServer.ts'

const root = dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json'))
const conformance = join(root, 'dist/index.js')

let server: TestServer
let http: Awaited<ReturnType<typeof serveHttp>>
beforeAll(async () => {
  // The suite cannot send a token: no wallet, so none is needed.
  server = await createTestServer({ readOnly: true })
  server.fake.add({ name: 'today', price: 0n })
  http = await serveHttp({ factory: server.factory, log: () => {} }, { host: '127.0.0.1', port: 0, token: undefined })
})
afterAll(async () => {
  await http.close()
  await server.close()
})

function run(url: string, scenario: string, version: string): Promise<{ code: number; output: string }> {
  const args = [conformance, 'server', '--url', url, '--scenario', scenario, '--spec-version', version]
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error ? (typeof error.code === 'number' ? error.code : 1) : 0, output: stdout + stderr })
    })
  })
}

/** The scenarios that need no fixture of the suite's own. */
const scenarios = [
  ['2026-07-28', 'tools-list'],
  ['2026-07-28', 'caching'],
  ['2026-07-28', 'dns-rebinding-protection'],
  ['2026-07-28', 'sep-2164-resource-not-found'],
  ['2026-07-28', 'http-header-validation'],
  ['2025-11-25', 'server-initialize'],
  ['2025-11-25', 'ping'],
  ['2025-11-25', 'tools-list'],
  ['2025-11-25', 'dns-rebinding-protection'],
] as const

test.each(scenarios)(
  '%s %s passes, and fails against a dead port',
  async (version, scenario) => {
    const live = await run(http.url, scenario, version)
    expect(live.output + live.code).toMatch(/0$/)
    const dead = await run(`http://127.0.0.1:${await freePort()}/mcp`, scenario, version)
    expect(dead.code).not.toBe(0)
  },
  120_000,
)
