import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { devnetAccounts, type ReadyDockerEngine, requireDockerEngine } from '@peerhost/devnet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { peerhost, runPiped } from './runCommand.ts'

const root = mkdtempSync(join(tmpdir(), 'peerhost-cli-devnet-'))
const project = join(root, 'my-api')
const startTimeoutMs = 240_000
let engine: ReadyDockerEngine
let dev: Dev
let env: Record<string, string>

beforeAll(async () => {
  engine = await requireDockerEngine()
  expect((await runPiped(['init', project])).code).toBe(0)
  dev = await startDev([project, '--workers', '1', '--json'])
  env = { PEERHOST_GATEWAY: dev.data.gatewayUrl }
}, startTimeoutMs)

afterAll(async () => {
  await dev?.end()
  rmSync(root, { recursive: true, force: true })
  await engine.release()
}, startTimeoutMs)

const json = async (args: readonly string[], more: Record<string, string> = {}) => {
  const { code, stdout } = await runPiped([...args, '--json'], { env: { ...env, ...more } })
  return { code, ...JSON.parse(stdout) }
}

describe(
  'peerhost dev',
  () => {
    it('deploys the project of the folder', () => {
      const { functions, workers, isolated } = dev.data
      expect(isolated).toBe(true)
      expect(workers).toEqual([devnetAccounts(1).operators[0]!.operator.address])
      expect(functions.map(({ name, price }) => [name, price])).toEqual([
        ['dice', '1000'],
        ['hello', '0'],
      ])
    })

    it('deploys again when a file changes', async () => {
      const file = join(project, 'functions/hello.ts')
      const before = readFileSync(file, 'utf8')
      const again = dev.printed('deployed hello')
      writeFileSync(file, before.replace('hello: name', 'hi: name'))
      await again
      const { data } = await json(['call', urlOf('hello')])
      expect(JSON.parse(data.body)).toEqual({ hi: 'world' })
    })

    it('says what is wrong with a change, and goes on', async () => {
      const file = join(project, 'functions/dice.ts')
      const before = readFileSync(file, 'utf8')
      const failed = dev.printed('dice.ts')
      writeFileSync(file, `${before}\nthis is no program`)
      await failed
      const { data } = await json(['call', urlOf('hello')])
      expect(data.status).toBe(200)
      writeFileSync(file, before)
    })
  },
  startTimeoutMs,
)

describe(
  'the commands against a network',
  () => {
    it('list and inspect what is deployed', async () => {
      const { data } = await json(['ls', '--priced'])
      expect(data.functions.map(({ name }: { name: string }) => name)).toEqual(['dice'])
      const inspected = await json(['inspect', 'my-api/dice'])
      expect(inspected.data.onChain).toMatchObject({ priceText: '0.001', paymentMode: 'after' })
      const unknown = await json(['inspect', 'my-api/nobody'])
      expect(unknown).toMatchObject({ code: 2, ok: false, error: { code: 'usage' } })
    })

    it('pay within the cap only, and verify what came back', async () => {
      const call = ['call', urlOf('dice'), '-d', '{"sides":6}', '-H', 'content-type: application/json']
      const quoted = await json([...call, '--dry-run'])
      expect(quoted.data).toMatchObject({ price: '1000', priceText: '0.001' })
      const refused = await json([...call, '--max-price', '0.0009'])
      expect(refused).toMatchObject({ code: 1, ok: false })
      expect(refused.error.hint).toContain('--max-price')
      const file = join(root, 'answer.json')
      const paid = await json([...call, '--max-price', '0.001', '--receipt', file])
      expect(paid).toMatchObject({ code: 0, data: { status: 200, payment: { outcome: 'paid', amountText: '0.001' } } })
      expect(JSON.parse(paid.data.body).sides).toBe(6)
      const verified = await json(['verify', file, '--wait', '60'])
      expect(verified).toMatchObject({ code: 0, data: { ok: true, settled: true, level: 'verified' } })
    })

    it('find a changed receipt', async () => {
      const file = join(root, 'answer.json')
      const evidence = JSON.parse(readFileSync(file, 'utf8'))
      const changed = join(root, 'changed.json')
      const ticket = { ...evidence.receipt.ticket, price: '1' }
      writeFileSync(changed, JSON.stringify({ ...evidence, receipt: { ...evidence.receipt, ticket } }))
      const verified = await json(['verify', changed])
      expect(verified).toMatchObject({ code: 1, ok: true, data: { ok: false } })
    })

    it('change a price', async () => {
      const set = await json(['price', 'set', 'my-api/dice', '0.002'])
      expect(set.data.priceText).toBe('0.002')
      const read = await json(['price', 'get', 'my-api/dice'])
      expect(read.data.priceText).toBe('0.002')
    })

    it('deploy another folder, once', async () => {
      const other = join(root, 'other-api')
      mkdirSync(other)
      cpSync(join(project, 'functions/hello.ts'), join(other, 'functions/hello.ts'))
      const planned = await json(['deploy', other, '--dry-run'])
      expect(planned.data).toMatchObject({ project: 'other-api', functions: [{ name: 'hello', changed: true }] })
      const done = await json(['deploy', other])
      expect(done.data.functions[0]).toMatchObject({ version: 1, changed: true })
      const again = await json(['deploy', other])
      expect(again.data.functions[0]).toMatchObject({ version: 1, changed: false })
      expect(again.data.transaction).toBeUndefined()
    })

    it('act for an operator with its own key alone', async () => {
      const { operator } = devnetAccounts(1).operators[0]!
      const status = await json(['worker', 'status', operator.address])
      expect(status.data).toMatchObject({ status: 'active', stake: '100000000' })
      const withdrawn = await json(['worker', 'withdraw'], { PEERHOST_KEY: operator.privateKey })
      expect(withdrawn.data).toMatchObject({ what: 'earnings', to: operator.address })
      expect(Number(withdrawn.data.amount)).toBeGreaterThan(0)
    })

    it('register a new operator, and bring it to its exit', async () => {
      const keyFile = join(root, 'execution.key')
      writeFileSync(keyFile, devnetAccounts(3).operators[2]!.executionKey.privateKey, { mode: 0o600 })
      const owner = { PEERHOST_KEY: devnetAccounts(0).agent.privateKey }
      const register = ['worker', 'stake', '150', '--execution-key-file', keyFile]
      expect((await json(register, owner)).data).toMatchObject({ status: 'active', stake: '150000000' })
      expect((await json(['worker', 'drain'], owner)).data.status).toBe('draining')
      const { data } = await json(['worker', 'unstake'], owner)
      expect(data.withdrawableAt).toBeGreaterThan(Date.now() / 1_000)
      const early = await json(['worker', 'unstake'], owner)
      expect(early).toMatchObject({ code: 0, data: { status: 'unbonding', withdrawableAt: data.withdrawableAt } })
      expect(early.data.transaction).toBeUndefined()
    })

    it('find nothing wrong with this machine', async () => {
      const { code, data } = await json(['doctor'])
      expect(code).toBe(0)
      expect(data.checks.every(({ status }: { status: string }) => status === 'ok')).toBe(true)
    })
  },
  startTimeoutMs,
)

describe(
  'Ctrl-C',
  () => {
    it('stops everything and is no failure', async () => {
      expect(await dev.end()).toBe(0)
      await expect(fetch(`${dev.data.gatewayUrl}/livez`)).rejects.toThrow()
    })
  },
  startTimeoutMs,
)

type Dev = {
  data: {
    gatewayUrl: string
    isolated: boolean
    workers: string[]
    functions: { name: string; price: string; url: string }[]
  }
  /** Resolves when stderr says this, from now on. */
  printed: (text: string) => Promise<void>
  end: () => Promise<number | null>
}

function urlOf(name: string): string {
  return dev.data.functions.find((each) => each.name === name)?.url ?? ''
}

async function startDev(args: readonly string[]): Promise<Dev> {
  const [program, ...options] = peerhost
  const child = spawn(program, [...options, 'dev', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  const notes: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => notes.push(text))
  const up = new Promise<string>((resolve, reject) => {
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
      if (out.includes('\n')) resolve(out)
    })
    void ended.then((code) => reject(new Error(`peerhost dev ended with ${code}: ${notes.join('')}`)))
  })
  const line = JSON.parse(await up)
  return {
    data: line.data,
    printed: (text) => {
      const from = notes.join('').length
      return new Promise((resolve) => {
        child.stderr.on('data', () => {
          if (notes.join('').slice(from).includes(text)) resolve()
        })
      })
    },
    end: () => {
      child.kill('SIGINT')
      return ended
    },
  }
}
