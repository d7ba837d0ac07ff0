#!/usr/bin/env node
import { pino } from 'pino'
import { readFirstLine } from './keys/keystorePassword.ts'
import { describeError } from './logEvents.ts'
import { openConfig } from './openConfig.ts'
import { createWorkerLog, runWorker } from './runWorker.ts'

const interrupted = 130

/** The worker process: the first SIGTERM or SIGINT drains it, the second one ends it at once. */
async function main(): Promise<void> {
  const signal = drainOnSignal()
  const log = createWorkerLog(pino.destination({ dest: 1, sync: true }))
  try {
    const readLine = process.stdin.isTTY ? undefined : () => readFirstLine(process.stdin)
    const config = await openConfig(process.env, { readLine })
    log.level = config.logLevel
    await runWorker(config, {
      log,
      signal,
      onReady: (ready) => process.send?.({ type: 'ready', ...ready }),
    })
    process.exit(0)
  } catch (error) {
    log.fatal(describeError(error), 'The worker ended.')
    process.exit(1)
  }
}

/** Ending without a farewell is safe: nothing was sent that is not in the journal, and containers end with their stdin. */
function drainOnSignal(): AbortSignal {
  const draining = new AbortController()
  const onSignal = () => {
    if (draining.signal.aborted) process.exit(interrupted)
    draining.abort()
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  return draining.signal
}

await main()
