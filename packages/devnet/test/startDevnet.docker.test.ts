import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { operatorRegistryAbi } from '@peerhost/protocol'
import { sandboxLabels, sandboxOwner } from '@peerhost/worker'
import { createPublicClient, http } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { devnetAccounts } from '../src/accounts.ts'
import { dockerApi } from '../src/dockerApi.ts'
import { type ReadyDockerEngine, requireDockerEngine } from '../src/dockerEngine.ts'
import { type Devnet, type DevnetEvent, startDevnet } from '../src/startDevnet.ts'

const root = mkdtempSync(join(tmpdir(), 'peerhost-devnets-'))
const startTimeoutMs = 240_000
let engine: ReadyDockerEngine

beforeAll(async () => {
  engine = await requireDockerEngine()
}, startTimeoutMs)

afterAll(async () => {
  rmSync(root, { recursive: true, force: true })
  await engine.release()
})

describe(
  'a devnet',
  () => {
    const directory = join(root, 'whole')
    const events: DevnetEvent[] = []
    let devnet: Devnet

    beforeAll(async () => {
      devnet = await start(directory, events)
    }, startTimeoutMs)

    afterAll(() => devnet?.stop())

    it('serves with its workers staked and connected', async () => {
      const network = await networkOf(devnet)
      expect(network).toMatchObject({ chainId: 84_532, workers: 1, coordinator: devnet.addresses.coordinator })
      const client = createPublicClient({ transport: http(devnet.chain.rpcUrl) })
      const operator = await client.readContract({
        address: devnet.addresses.operators,
        abi: operatorRegistryAbi,
        functionName: 'getOperator',
        args: [devnet.accounts.operators[0]!.operator.address],
      })
      expect(operator).toMatchObject({ status: 1, executionKey: devnet.accounts.operators[0]!.executionKey.address })
    })

    it('tells when a process dies, and starts it again with its keys and data', async () => {
      const [worker] = devnet.workers()
      worker!.kill('SIGKILL')
      await worker!.exited
      expect(events).toContainEqual(expect.objectContaining({ type: 'exit', name: 'worker-1' }))
      await devnet.restartWorker(0)
      await until(async () => (await networkOf(devnet)).workers === 1)
      devnet.gateway().kill('SIGKILL')
      await devnet.gateway().exited
      await devnet.restartGateway()
      await until(async () => (await networkOf(devnet)).workers === 1)
    })

    it('leaves no process and no container', async () => {
      const pids = [...devnet.workers(), devnet.gateway(), devnet.chain.process].map(({ pid }) => pid)
      expect(pids.every(isAlive)).toBe(true)
      await devnet.stop()
      expect(pids.some(isAlive)).toBe(false)
      expect(await ownContainers(directory)).toEqual([])
    })
  },
  startTimeoutMs,
)

describe(
  'a devnet that does not come up',
  () => {
    it('stops what had started, and says why', async () => {
      const events: DevnetEvent[] = []
      const starting = startDevnet({
        directory: join(root, 'broken'),
        workers: 1,
        dockerSocket: join(root, 'nobody.sock'),
        onEvent: (event) => events.push(event),
      })
      await expect(starting).rejects.toMatchObject({ code: 'sandbox_unavailable' })
      expect(events).toContainEqual(expect.objectContaining({ type: 'step', step: 'stopping' }))
      expect(await processesIn(join(root, 'broken'))).toEqual([])
    })

    it('stops what had started when it is cancelled', async () => {
      const directory = join(root, 'cancelled')
      const abort = new AbortController()
      const starting = startDevnet({
        directory,
        workers: 1,
        dockerSocket: engine.socketPath,
        signal: abort.signal,
        onEvent: (event) => {
          if (event.type === 'step' && event.step === 'processes') setTimeout(() => abort.abort(), 500)
        },
      })
      await expect(starting).rejects.toMatchObject({ name: 'AbortError' })
      expect(await processesIn(directory)).toEqual([])
      expect(await ownContainers(directory)).toEqual([])
    })
  },
  startTimeoutMs,
)

describe(
  'a devnet whose owner is killed',
  () => {
    it('ends by itself', async () => {
      const directory = join(root, 'orphaned')
      const script = fileURLToPath(new URL('./devnetAndWait.ts', import.meta.url))
      const args = ['--conditions=@peerhost/source', script, directory, engine.socketPath]
      const owner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      await new Promise((resolve, reject) => {
        owner.stdout.once('data', resolve)
        owner.once('exit', (code) => reject(new Error(`The owner ended with ${code}.`)))
      })
      expect((await processesIn(directory)).length).toBeGreaterThan(0)
      owner.kill('SIGKILL')
      await until(async () => (await processesIn(directory)).length === 0)
      expect(await ownContainers(directory)).toEqual([])
    })
  },
  startTimeoutMs,
)

function start(directory: string, events: DevnetEvent[]): Promise<Devnet> {
  return startDevnet({
    directory,
    workers: 1,
    dockerSocket: engine.socketPath,
    onEvent: (event) => events.push(event),
  })
}

async function networkOf(devnet: Devnet): Promise<{ workers: number }> {
  return (await fetch(`${devnet.gatewayUrl}/v1/network`)).json() as Promise<{ workers: number }>
}

async function ownContainers(directory: string): Promise<unknown[]> {
  const executionKey = devnetAccounts(1).operators[0]!.executionKey.address
  const owner = sandboxOwner({ executionKey, dataDirectory: join(directory, 'worker-1') })
  const filters = encodeURIComponent(JSON.stringify({ label: [`${sandboxLabels.owner}=${owner}`] }))
  return JSON.parse((await dockerApi(engine.socketPath, 'GET', `/containers/json?all=1&filters=${filters}`)).body)
}

/** The processes that write to logs of this directory: every child of a devnet does. */
async function processesIn(directory: string): Promise<string[]> {
  const { execFile } = await import('node:child_process')
  const { promisify } = await import('node:util')
  const script =
    'for p in /proc/[0-9]*; do [ "$(readlink $p/fd/1 2>/dev/null | grep -c "^$0/")" = 1 ] && echo $p; done; true'
  const { stdout } = await promisify(execFile)('bash', ['-c', script, directory])
  return stdout.split('\n').filter((line) => line !== '')
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

async function until(test: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000
  while (Date.now() < deadline) {
    if (await test().catch(() => false)) return
    await sleep(200)
  }
  throw new Error('It did not happen in time.')
}
