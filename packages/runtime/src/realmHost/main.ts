import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readFrame, writeFrame } from '../hostPipe/pipe.ts'
import { downwardLimits, readRun } from '../messages.ts'
import { compileBundle } from './compileBundle.ts'
import { createExecutor } from './executor.ts'
import { freezeLanguage } from './freeze.ts'

/**
 * A process that runs executions one after the other, each in a realm that has run nothing before; at level `shared`, all
 * in one. Speaks with the supervisor over its pipes, and reads from them only when it has nothing else to do.
 */
async function main(): Promise<void> {
  const realmSource = readFileSync(join(__dirname, 'realm.js'), 'utf8')
  const load = readFrame(downwardLimits)
  const compiled = compileBundle(load.body)
  const executor = createExecutor({
    realmSource,
    compiled,
    settings: readLoad(load.header),
    write: writeFrame,
    read: () => readFrame(downwardLimits),
  })
  freezeLanguage()
  writeFrame({ type: 'ready' })
  for (;;) {
    await executor.prepare()
    writeFrame({ type: 'prepared' })
    const job = readFrame(downwardLimits)
    await executor.execute(readRun(job.header.run), job.body)
  }
}

function readLoad(header: Record<string, unknown>) {
  return {
    responseBodyBytes: Number(header.responseBodyBytes),
    timeoutMs: Number(header.timeoutMs),
    logBytes: Number(header.logBytes),
    isShared: header.isolation === 'shared',
    isEager: header.isEager === true,
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${String((error as Error).stack ?? error)}\n`)
  process.exit(70)
})
