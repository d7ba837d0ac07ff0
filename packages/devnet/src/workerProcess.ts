import { join } from 'node:path'
import { PeerHostError } from '@peerhost/protocol'
import type { Address } from 'viem'
import { DEVNET_STAKE } from './contracts.ts'
import { chainEnvironment, type DevnetNetwork } from './gatewayProcess.ts'
import { type ManagedProcess, startManagedProcess } from './managedProcess.ts'

/** A running worker and the addresses it works for. */
export type WorkerProcess = ManagedProcess & { ready: { operator: Address; executionKey: Address } }

export type WorkerProcessOptions = {
  index: number
  gateways: readonly { url: string; workerUrl: string }[]
  dockerSocket: string
  /** How many executions it offers to run at once; default its own. */
  capacity?: number | undefined
  signal?: AbortSignal | undefined
}

/** Starts `@peerhost/worker` as a child: it registers, stakes, makes its sandbox ready and connects to the gateways. */
export function startWorker(network: DevnetNetwork, options: WorkerProcessOptions): Promise<WorkerProcess> {
  const { accounts, directory } = network
  const keys = accounts.operators[options.index]
  if (!keys) throw new PeerHostError('internal', `The devnet has no accounts for worker ${options.index}.`)
  const name = `worker-${options.index + 1}`
  return startManagedProcess({
    name,
    entry: 'launch',
    args: ['@peerhost/worker/main'],
    logFile: join(directory, `${name}.log`),
    env: {
      ...chainEnvironment(network),
      PEERHOST_GATEWAYS: options.gateways.map(({ workerUrl }) => workerUrl).join(','),
      PEERHOST_BLOCK_SOURCES: options.gateways.map(({ url }) => url).join(','),
      PEERHOST_OPERATOR_KEY: keys.operator.privateKey,
      PEERHOST_EXECUTION_KEY: keys.executionKey.privateKey,
      PEERHOST_STAKE: DEVNET_STAKE,
      PEERHOST_DATA_DIR: join(directory, name),
      PEERHOST_RUNTIME_DIR: join(directory, 'runtime'),
      PEERHOST_SANDBOX: 'docker',
      PEERHOST_DOCKER_SOCKET: options.dockerSocket,
      ...(options.capacity === undefined ? {} : { PEERHOST_CAPACITY: String(options.capacity) }),
    },
    parseReady: (message) => {
      const { type, operator, executionKey } = (message ?? {}) as Record<string, unknown>
      return type === 'ready' && typeof operator === 'string' && typeof executionKey === 'string'
        ? { operator: operator as Address, executionKey: executionKey as Address }
        : undefined
    },
    readyTimeoutMs: 180_000,
    signal: options.signal,
  })
}
