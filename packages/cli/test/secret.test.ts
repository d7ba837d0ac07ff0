import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { newKey, startNetwork, type TestNetwork } from '../../gateway/test/fixture.ts'
import { startTestGateway, type TestGateway } from '../../gateway/test/testGateway.ts'
import { runOnTerminal, runPiped } from './runCommand.ts'

// Each command is a process of its own.
vi.setConfig({ testTimeout: 240_000 })

const secret = 'sk-live-0123456789abcdef'
const owner = newKey()
let directory: string
let network: TestNetwork
let gateway: TestGateway
let env: Record<string, string>

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'peerhost-cli-secret-'))
  writeFileSync(join(directory, 'peerhost.jsonc'), '{ "name": "weather" }')
  network = await startNetwork()
  gateway = await startTestGateway({ network, secretsKeys: [new Uint8Array(32).fill(5)] })
  env = { PEERHOST_GATEWAY: gateway.url, PEERHOST_RPC_URL: network.rpcUrl, PEERHOST_KEY: owner.key }
})
afterAll(async () => {
  await gateway?.close()
  await network?.stop()
  rmSync(directory, { recursive: true, force: true })
})

const run = async (args: string[], input?: string) => {
  const finished = await runPiped(['secret', ...args, '--json'], { cwd: directory, env, ...(input ? { input } : {}) })
  expect(`${finished.stdout}${finished.stderr}`).not.toContain(secret)
  return { code: finished.code, ...JSON.parse(finished.stdout) }
}

it('takes a value from a pipe, for the project of the folder, and gives it back to nobody', async () => {
  expect(await run(['list'])).toMatchObject({ code: 0, data: { project: 'weather', version: 0, secrets: [] } })
  const set = await run(['set', 'API_KEY'], `${secret}\n`)
  expect(set).toMatchObject({ code: 0, data: { name: 'API_KEY', project: 'weather', version: expect.any(Number) } })
  const listed = await run(['list'])
  expect(listed.data.secrets).toEqual([{ name: 'API_KEY', version: set.data.version, setAtMs: expect.any(Number) }])
  const rows = await gateway.database.query('select owner, project, sealed from secrets')
  expect(rows).toMatchObject([{ owner: owner.account.address.toLowerCase(), project: 'weather' }])
  expect(Buffer.from(rows[0]?.sealed as Uint8Array).toString('latin1')).not.toContain(secret)
})

it('asks a person, without showing what is typed', async () => {
  const typed = [['Value of TYPED_KEY', `${secret}\r`]] as const
  const args = ['secret', 'set', 'TYPED_KEY', '--project', 'typed']
  const { code, stdout } = await runOnTerminal(args, { cwd: directory, env, typed })
  expect(code, stdout).toBe(0)
  expect(stdout).not.toContain(secret)
  expect((await run(['list', '--project', 'typed'])).data.secrets).toMatchObject([{ name: 'TYPED_KEY' }])
})

it('deletes, once', async () => {
  await run(['set', 'GONE_KEY', '--project', 'gone'], secret)
  expect(await run(['delete', 'GONE_KEY', '--project', 'gone'])).toMatchObject({ code: 0 })
  const again = await run(['delete', 'GONE_KEY', '--project', 'gone'])
  expect(again).toMatchObject({ code: 1, error: { code: 'secret_missing' } })
})

it('says what is wrong with a value or a name', async () => {
  expect(await run(['set', 'SHORT_KEY'], 'short')).toMatchObject({ code: 1, error: { code: 'request_invalid' } })
  expect(await run(['set', 'lower-key'], secret)).toMatchObject({ code: 1, error: { code: 'request_invalid' } })
  expect(await run(['set', 'EMPTY_KEY'])).toMatchObject({ code: 2, error: { code: 'usage' } })
})

it('does not take one line of a pipe for the keystore’s password and for the value', async () => {
  const args = ['set', 'API_KEY', '--account', './operator.json']
  expect(await run(args, 'password')).toMatchObject({ code: 2, error: { code: 'usage' } })
})
