import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Devnet,
  devnetAccounts,
  devnetChain,
  freePort,
  type ReadyDockerEngine,
  requireDockerEngine,
  startDevnet,
} from '@peerhost/devnet'
import { createTestClient, type Hex, http, parseEther } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { peerhost, runOnTerminal, runPiped } from './runCommand.ts'

const root = mkdtempSync(join(tmpdir(), 'peerhost-cli-worker-'))
const directory = join(root, 'worker')
const passwordFile = join(root, 'password')
const password = 'correct horse'
const timeoutMs = 90_000
const operatorKey = devnetAccounts(0).agent.privateKey
const operator = privateKeyToAddress(operatorKey)
let engine: ReadyDockerEngine
let devnet: Devnet
let env: Record<string, string>
let metricsPort: number

beforeAll(async () => {
  engine = await requireDockerEngine()
  devnet = await startDevnet({ directory: join(root, 'devnet'), workers: 1, dockerSocket: engine.socketPath })
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  env = { PEERHOST_WORKER_DIR: directory, PEERHOST_KEYSTORE_PASSWORD_FILE: passwordFile }
  metricsPort = await freePort()
}, timeoutMs)

afterAll(async () => {
  await devnet?.stop()
  await engine?.release()
  rmSync(root, { recursive: true, force: true })
}, timeoutMs)

const run = async (args: readonly string[], more: Record<string, string> = {}) => {
  const { code, stdout, stderr } = await runPiped(['worker', ...args, '--json'], { env: { ...env, ...more } })
  return { code, stderr, ...JSON.parse(stdout) }
}

/** Rebuilds the `init` arguments of this network. */
const init = () => ['worker', 'init', '--gateway', devnet.gatewayUrl, '--metrics-port', String(metricsPort)]

describe(
  'peerhost worker init',
  () => {
    it('asks twice on a terminal, shows nothing of what is typed, and writes for its owner alone', async () => {
      const own = join(root, 'typed')
      const typed = [
        ['New password', `${password}\r`],
        ['again', `${password}\r`],
      ] as const
      const { code, stdout } = await runOnTerminal([...init(), '--directory', own], { typed })
      expect(stdout).toContain('execution key')
      expect(code).toBe(0)
      expect(stdout).not.toContain(password)
      for (const file of readdirSync(own)) expect(statSync(join(own, file)).mode & 0o777, file).toBe(0o600)
      const differing = [typed[0], ['again', 'another\r']] as const
      const again = await runOnTerminal([...init(), '--directory', join(root, 'differing')], { typed: differing })
      expect(again.code).toBe(2)
      expect(again.stdout).toContain('differ')
    })

    it('takes the password from a pipe, and the operator’s key from where keys come from', async () => {
      const piped = [...init(), '--rpc-url', `http://127.0.0.1:1,${devnet.chain.webSocketUrl}`, '--json']
      const made = await runPiped(piped, {
        env: { PEERHOST_WORKER_DIR: directory, PEERHOST_KEY: operatorKey },
        input: password,
      })
      expect(made.stdout, made.stderr).toContain('"ok":true')
      const { data } = JSON.parse(made.stdout)
      expect(data).toMatchObject({ directory, operator })
      const settings = readFileSync(join(directory, 'worker.env'), 'utf8')
      expect(settings).toContain(`PEERHOST_RPC_URL=http://127.0.0.1:1,${devnet.chain.webSocketUrl}`)
      const written = readdirSync(directory).map((file) => readFileSync(join(directory, file), 'utf8'))
      expect(written.join().includes(operatorKey.slice(2))).toBe(false)
      await fund(data.executionKey)
    })

    it('overwrites nothing', async () => {
      const before = readFileSync(join(directory, 'operator.keystore.json'), 'utf8')
      const again = await run(init().slice(1))
      expect(again).toMatchObject({ code: 1, error: { code: 'conflict' } })
      expect(readFileSync(join(directory, 'operator.keystore.json'), 'utf8')).toBe(before)
    })
  },
  timeoutMs,
)

describe(
  'the life of an operator',
  () => {
    let child: ChildProcess

    it('refuses a wrong password and a keystore that others can read', async () => {
      const wrong = join(root, 'wrong')
      writeFileSync(wrong, 'guessed', { mode: 0o600 })
      const guessed = await run(['start'], { PEERHOST_KEYSTORE_PASSWORD_FILE: wrong })
      expect(guessed).toMatchObject({ code: 1, error: { code: 'keystore_locked', message: 'The password is wrong.' } })
      const keystore = join(directory, 'execution.keystore.json')
      chmodSync(keystore, 0o640)
      const open = await run(['start'])
      expect(open).toMatchObject({ code: 1, error: { code: 'config_invalid', hint: `chmod 600 ${keystore}` } })
      chmodSync(keystore, 0o600)
    })

    it('says before anything else what is missing', async () => {
      const doctor = await run(['doctor'])
      const failed = doctor.data.checks.filter(({ status }: { status: string }) => status === 'fail')
      expect(failed).toEqual([])
      expect(doctor.code).toBe(0)
      const status = await run(['status'])
      expect(status).toMatchObject({ code: 1, data: { operator, status: 'none', ready: false } })
      expect(codesOf(status)).toEqual(expect.arrayContaining(['not-registered', 'worker-away', 'rpc-away']))
    })

    it('stakes with the keys of its directory, through the RPC endpoint that answers', async () => {
      const early = await run(['start'])
      expect(early).toMatchObject({ code: 1, error: { code: 'worker_not_registered' } })
      const staked = await run(['stake'])
      expect(staked).toMatchObject({ code: 0, data: { operator, status: 'active', stake: '100000000' } })
      const more = await run(['stake', '20'])
      expect(more).toMatchObject({ code: 0, data: { stake: '120000000' } })
    })

    it('starts, and is connected to the gateway', async () => {
      child = spawn(peerhost[0], [...peerhost.slice(1), 'worker', 'start', '--json'], {
        env: { PATH: process.env.PATH, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const [line] = await Promise.race([
        once(child.stdout!, 'data'),
        once(child, 'exit').then(([code]) => Promise.reject(new Error(`It ended with ${code}.`))),
      ])
      child.stderr?.resume()
      expect(JSON.parse(String(line))).toMatchObject({ ok: true, data: { operator } })
      await until(async () => (await workersOf(devnet.gatewayUrl)) === 2)
      const status = await run(['status'])
      expect(status).toMatchObject({ code: 0, data: { status: 'active', ready: true, worker: { state: 'running' } } })
      expect(codesOf(status)).toEqual(['rpc-away', 'stake-not-counted'])
      const human = await runPiped(['worker', 'status'], { env })
      expect(human.stdout).toContain('Jobs can come.')
      const metrics = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text()
      expect(metrics).toContain('peerhost_worker_operator_active 1')
    })

    it('drains on SIGTERM and ends with 0', async () => {
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      expect(await ended).toEqual([0, null])
    })

    it('replaces its execution key, on chain and on disk', async () => {
      const before = (await run(['status'])).data.executionKey
      const rotated = await run(['rotate', '--new'])
      expect(rotated).toMatchObject({ code: 0, data: { operator } })
      expect(rotated.data.executionKey).not.toBe(before)
      const status = await run(['status'])
      expect(status.data.executionKey).toBe(rotated.data.executionKey)
      expect(codesOf(status)).not.toContain('execution-key-differs')
      expect(readdirSync(directory)).toContain(`execution-${before}.keystore.json`)
    })

    it('drains and resumes on chain, then leaves when the unbonding period is over', async () => {
      expect(await run(['drain'])).toMatchObject({ code: 0, data: { status: 'draining' } })
      expect(await run(['drain', '--resume'])).toMatchObject({ code: 0, data: { status: 'active' } })
      const begun = await run(['unstake'])
      expect(begun).toMatchObject({ code: 0, data: { status: 'unbonding', stake: '120000000' } })
      const early = await run(['unstake'])
      expect(early.data.transaction).toBeUndefined()
      const client = testClient()
      await client.setNextBlockTimestamp({ timestamp: BigInt(begun.data.withdrawableAt + 1) })
      await client.mine({ blocks: 1 })
      expect(await run(['unstake'])).toMatchObject({ code: 0, data: { status: 'withdrawn', to: operator } })
    })
  },
  timeoutMs,
)

function codesOf({ data }: { data: { reasons: { code: string }[] } }): string[] {
  return data.reasons.map(({ code }) => code)
}

function testClient() {
  return createTestClient({ mode: 'anvil', chain: devnetChain, transport: http(devnet.chain.rpcUrl) })
}

async function fund(address: Hex): Promise<void> {
  await testClient().setBalance({ address, value: parseEther('1') })
}

async function workersOf(gatewayUrl: string): Promise<number> {
  const { workers } = (await (await fetch(`${gatewayUrl}/v1/network`)).json()) as { workers: number }
  return workers
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('It did not come to be.')
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
