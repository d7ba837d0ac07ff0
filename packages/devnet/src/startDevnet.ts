import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PeerHostError, type ProtocolParameters, type ProtocolTimes } from '@peerhost/protocol'
import { prepareRuntime } from '@peerhost/worker'
import { type DevnetAccounts, devnetAccounts } from './accounts.ts'
import { type DevnetChain, startChain } from './chain.ts'
import { type DevnetAddresses, type DevnetTuning, deployContracts, fundAccounts, hasContracts } from './contracts.ts'
import { freePort } from './freePort.ts'
import { type DevnetNetwork, type GatewayProcess, startGateway } from './gatewayProcess.ts'
import type { Exit } from './managedProcess.ts'
import { removeSandboxes } from './sandboxes.ts'
import { startWorker, type WorkerProcess } from './workerProcess.ts'

/** What happened while a devnet came up, ran or went down. */
export type DevnetEvent =
  | { type: 'step'; step: 'chain' | 'contracts' | 'processes' | 'stopping'; text: string }
  /** A process ended that nobody asked to end. */
  | { type: 'exit'; name: string; exit: Exit; logFile: string }

export type DevnetOptions = {
  workers?: number
  /** Logs, databases, blocks and addresses go there. It is created when missing. */
  directory: string
  /** Port of the gateway; default a free one. */
  port?: number | undefined
  /** The Docker engine that runs functions; `ensureDockerEngine` finds it. */
  dockerSocket: string
  /** Keep the chain in the directory, and continue what a previous start left there. */
  persist?: boolean
  /** Times that the contracts fix for ever, where they are not the defaults. A kept chain keeps its own. */
  times?: Partial<ProtocolTimes>
  /** What the contracts begin with, where it is not the default. A kept chain keeps its own. */
  parameters?: Partial<ProtocolParameters>
  onEvent?: (event: DevnetEvent) => void
  signal?: AbortSignal | undefined
}

/** A whole network on this machine. */
export type Devnet = {
  directory: string
  chain: DevnetChain
  addresses: DevnetAddresses
  accounts: DevnetAccounts
  gatewayUrl: string
  /** The processes as they are now: `restartGateway` and `startWorker` replace and add. */
  gateway: () => GatewayProcess
  workers: () => readonly WorkerProcess[]
  /** Starts the gateway again after it ended, on the same port and data. */
  restartGateway: () => Promise<GatewayProcess>
  /** Starts worker `index` again after it ended, with the same keys and data. */
  restartWorker: (index: number) => Promise<WorkerProcess>
  /** Ends every process in reverse order and removes the containers they left. Safe to call twice. */
  stop: () => Promise<void>
}

const defaultWorkers = 2
/** With more workers than this, each is given less to do at once: they share one machine. */
const workersOfFullCapacity = 4
const connectTimeoutMs = 30_000
const connectTimeoutMsPerWorker = 10_000

/**
 * Starts chain, contracts, gateway and workers, each as a process of its own. When one does not come up, or the signal
 * fires, everything that did is stopped before this throws.
 */
export async function startDevnet(options: DevnetOptions): Promise<Devnet> {
  const directory = resolve(options.directory)
  mkdirSync(directory, { recursive: true })
  const count = options.workers ?? defaultWorkers
  const accounts = devnetAccounts(count)
  const running = createRunning(options, accounts)
  const runtime = prepareRuntime({ directory: join(directory, 'runtime'), dockerSocket: options.dockerSocket })
  // It is awaited before the workers start; until then a failure elsewhere comes first.
  runtime.catch(() => {})
  try {
    running.step('chain', 'Starting the chain')
    const chain = await startChain({ directory, persist: options.persist ?? false, signal: options.signal })
    running.watch(chain.process)
    running.step('contracts', 'Deploying contracts and test USDC')
    const addresses = await contractsOf({ directory, chain, accounts }, options)
    const network: DevnetNetwork = { directory, chain, addresses, accounts }
    const port = options.port ?? (await freePort())
    const gatewayUrl = `http://127.0.0.1:${port}`
    const workerOptions = {
      gateways: [{ url: gatewayUrl, workerUrl: `ws://127.0.0.1:${port}/v1/worker` }],
      dockerSocket: options.dockerSocket,
      capacity: count > workersOfFullCapacity ? 2 : undefined,
    }
    running.step('processes', `Starting the gateway and ${count} worker${count === 1 ? '' : 's'}`)
    // A worker asks again until its gateway answers, so that nobody waits for anybody here.
    let [gateway, workers] = await together(
      options.signal,
      (signal) => startGateway(network, port, signal).then(running.watch),
      async (signal) => {
        await runtime
        const start = (index: number) => startWorker(network, { ...workerOptions, index, signal }).then(running.watch)
        return allOrNone(Array.from({ length: count }, (_, index) => start(index)))
      },
    )
    await waitForWorkers(gatewayUrl, count, options.signal)
    return {
      directory,
      chain,
      addresses,
      accounts,
      gatewayUrl,
      gateway: () => gateway,
      workers: () => workers,
      restartGateway: async () => {
        gateway = running.watch(await startGateway(network, port))
        return gateway
      },
      restartWorker: async (index) => {
        const worker = running.watch(await startWorker(network, { ...workerOptions, index }))
        workers[index] = worker
        return worker
      },
      stop: running.stop,
    }
  } catch (error) {
    await Promise.allSettled([running.stop(), runtime])
    throw error
  }
}

type Stoppable = { name: string; logFile: string; exited: Promise<Exit>; stop: (graceMs?: number) => Promise<Exit> }

/** The processes in the order of their start: what stops them all, and says when one ends by itself. */
function createRunning({ dockerSocket, directory, onEvent = () => {} }: DevnetOptions, accounts: DevnetAccounts) {
  const processes: Stoppable[] = []
  let stopping: Promise<void> | undefined
  const stopAll = async () => {
    onEvent({ type: 'step', step: 'stopping', text: 'Stopping' })
    const workers = processes.filter(({ name }) => name.startsWith('worker-'))
    await Promise.all(workers.map((worker) => worker.stop()))
    for (const managed of processes.filter((managed) => !workers.includes(managed)).reverse()) await managed.stop()
    await removeSandboxes(dockerSocket, { directory: resolve(directory), accounts })
  }
  return {
    step: (step: Extract<DevnetEvent, { type: 'step' }>['step'], text: string) => onEvent({ type: 'step', step, text }),
    watch: <Managed extends Stoppable>(managed: Managed): Managed => {
      processes.push(managed)
      void managed.exited.then((exit) => {
        if (!stopping) onEvent({ type: 'exit', name: managed.name, exit, logFile: managed.logFile })
      })
      return managed
    },
    stop: () => {
      stopping ??= stopAll()
      return stopping
    },
  }
}

/** Does both at once; when one fails the other is cancelled, and this throws once both have ended. */
async function together<A, B>(
  signal: AbortSignal | undefined,
  first: (signal: AbortSignal) => Promise<A>,
  second: (signal: AbortSignal) => Promise<B>,
): Promise<[A, B]> {
  const failed = new AbortController()
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal
  const cancelling = <T>(result: Promise<T>) =>
    result.catch((error) => {
      failed.abort(error)
      throw error
    })
  const both = [cancelling(first(either)), cancelling(second(either))] as const
  await Promise.allSettled(both)
  return Promise.all(both)
}

/** All results; when one fails this throws once all have ended, so that none starts unwatched afterwards. */
async function allOrNone<T>(starting: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(starting)
  return Promise.all(starting)
}

/** Waits until the gateway counts this many workers: a ready worker may still be greeting the gateway. */
async function waitForWorkers(gatewayUrl: string, count: number, signal?: AbortSignal): Promise<void> {
  const deadline = Date.now() + connectTimeoutMs + count * connectTimeoutMsPerWorker
  let connected = 0
  while (Date.now() < deadline) {
    signal?.throwIfAborted()
    const response = await fetch(`${gatewayUrl}/v1/network`, { signal: AbortSignal.timeout(5_000) })
    const network = (await response.json()) as { workers?: number }
    connected = network.workers ?? 0
    if (connected >= count) return
    await sleep(50)
  }
  throw new PeerHostError('no_worker', `Only ${connected} of ${count} workers reached the gateway.`, {
    hint: 'The workers’ logs in the devnet’s directory say why.',
  })
}

/** The addresses of a kept directory when its chain still has the contracts, else of a fresh deployment. */
async function contractsOf(
  { directory, chain, accounts }: Omit<DevnetNetwork, 'addresses'>,
  tuning: DevnetTuning,
): Promise<DevnetAddresses> {
  const file = join(directory, 'contracts.json')
  const kept = readKept(file)
  if (kept && (await hasContracts(chain.rpcUrl, kept))) {
    await fundAccounts(chain.rpcUrl, accounts)
    return kept
  }
  forgetProcesses(directory)
  const addresses = await deployContracts(chain.rpcUrl, accounts, tuning)
  writeFileSync(file, JSON.stringify({ ...addresses, deployBlock: addresses.deployBlock.toString() }, null, 2))
  return addresses
}

function readKept(file: string): DevnetAddresses | undefined {
  try {
    const kept = JSON.parse(readFileSync(file, 'utf8')) as DevnetAddresses
    return { ...kept, deployBlock: BigInt(kept.deployBlock) }
  } catch {
    return undefined
  }
}

/** What gateway and workers remember of another chain is wrong on a new one, whose addresses are the same. */
function forgetProcesses(directory: string): void {
  for (const name of readdirSync(directory)) {
    if (name === 'gateway' || /^worker-\d+$/.test(name)) rmSync(join(directory, name), { recursive: true, force: true })
  }
}
