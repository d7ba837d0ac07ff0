#!/usr/bin/env node
import { type Logger, pino } from 'pino'
import { privateKeyToAddress } from 'viem/accounts'
import { type AssembledWorker, assembleWorker } from './assembleWorker.ts'
import { readConfig, type WorkerConfig } from './config.ts'
import { createWorkerEvents } from './events.ts'
import { describeError, logEvents } from './logEvents.ts'
import { createMetrics, serveMetrics } from './metrics.ts'
import { createDockerSandbox } from './sandbox/dockerSandbox.ts'
import { createProcessSandbox } from './sandbox/processSandbox.ts'
import type { Sandbox } from './sandbox/sandbox.ts'
import { sandboxOwner } from './sandbox/sandboxOwner.ts'

/** The worker process: the first SIGTERM or SIGINT drains it, the second one aborts what runs, the third one ends it. */
async function main(): Promise<void> {
  const log = pino({ level: process.env.PEERHOST_LOG_LEVEL || 'info' }, pino.destination({ dest: 1, sync: true }))
  try {
    const config = readConfig(process.env)
    await run(config, log)
    process.exit(0)
  } catch (error) {
    log.fatal(describeError(error), 'The worker ended.')
    process.exit(1)
  }
}

async function run(config: WorkerConfig, log: Logger): Promise<void> {
  const signals = createSignals()
  const events = createWorkerEvents()
  logEvents(events, log)
  const sandbox = await createSandbox(config, log)
  let assembled: AssembledWorker | undefined
  try {
    assembled = await assembleWorker(config, { sandbox, events })
    const { worker, operator, executionKey } = assembled
    const metrics =
      config.metricsPort === undefined ? undefined : await serveMetrics(createMetrics(events), config.metricsPort)
    await worker.start()
    process.send?.({ type: 'ready', operator, executionKey })
    await signals.first
    void signals.second.then(() => worker.stop())
    await worker.drain()
    metrics?.close()
  } finally {
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

function createSignals(): { first: Promise<void>; second: Promise<void> } {
  const first = Promise.withResolvers<void>()
  const second = Promise.withResolvers<void>()
  let count = 0
  const onSignal = () => {
    count += 1
    if (count === 1) first.resolve()
    else if (count === 2) second.resolve()
    else process.exit(1)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  return { first: first.promise, second: second.promise }
}

await main()
