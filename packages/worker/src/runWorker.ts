import type { Server } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type DestinationStream, type Logger, pino } from 'pino'
import type { Address } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { type AssembledWorker, assembleWorker } from './assembleWorker.ts'
import type { WorkerConfig } from './config.ts'
import { createWorkerEvents } from './events.ts'
import { logEvents } from './logEvents.ts'
import { createMetrics, serveMetrics } from './metrics.ts'
import { createDockerSandbox } from './sandbox/dockerSandbox.ts'
import { createProcessSandbox } from './sandbox/processSandbox.ts'
import type { Sandbox } from './sandbox/sandbox.ts'
import { sandboxOwner } from './sandbox/sandboxOwner.ts'
import { createSnapshots } from './status/workerSnapshot.ts'

export type RunWorkerDeps = {
  log: Logger
  /** Fires when the worker shall drain and end. */
  signal: AbortSignal
  onReady: (ready: { operator: Address; executionKey: Address }) => void
}

/** The log of a worker process: one line of JSON per event. */
export function createWorkerLog(destination: DestinationStream, level = 'info'): Logger {
  return pino({ level }, destination)
}

/**
 * Runs a worker until the signal fires, then drains it: what runs is finished, nothing new is taken, what was earned is
 * brought to the chain. What is not over within the drain's time is aborted. Throws what `assembleWorker` throws.
 */
export async function runWorker(config: WorkerConfig, { log, signal, onReady }: RunWorkerDeps): Promise<void> {
  const events = createWorkerEvents()
  logEvents(events, log)
  const readSnapshot = createSnapshots(events, Date.now)
  const sandbox = await createSandbox(config, log)
  let assembled: AssembledWorker | undefined
  let server: Server | undefined
  try {
    assembled = await assembleWorker(config, { sandbox, events })
    const { worker, operator, executionKey } = assembled
    const { gateways, capacity } = config
    const snapshot = () => readSnapshot({ worker, operator, executionKey, gateways, capacity })
    const metrics = createMetrics(events, snapshot)
    const { metricsPort: port, metricsHost: host } = config
    server = port === undefined ? undefined : await serveMetrics({ metrics, snapshot }, { host, port })
    await worker.start()
    onReady({ operator, executionKey })
    await aborted(signal)
    await Promise.race([worker.drain(), sleep(config.drainSeconds * 1_000, undefined, { ref: false })])
  } finally {
    server?.closeAllConnections()
    server?.close()
    await assembled?.worker.stop()
    await assembled?.close()
    await sandbox.close()
  }
}

function createSandbox(config: WorkerConfig, log: Logger): Promise<Sandbox> {
  const options = {
    directory: config.runtimeDirectory,
    log: (line: string) => log.info({ component: 'sandbox' }, line),
  }
  if (config.sandbox === 'process') return createProcessSandbox(options)
  return createDockerSandbox({
    ...options,
    owner: sandboxOwner({
      executionKey: privateKeyToAddress(config.executionKey),
      dataDirectory: config.dataDirectory,
    }),
    ...(config.dockerSocket === undefined ? {} : { socketPath: config.dockerSocket }),
    ...(config.containerRuntime === undefined ? {} : { containerRuntime: config.containerRuntime }),
  })
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
