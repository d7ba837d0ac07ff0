import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createFetchedFrames } from '../fetchedFrames.ts'
import type { Frame } from '../frames.ts'
import { readFrame, writeFrame } from '../hostPipe.ts'
import { downwardLimits, readRun } from '../messages.ts'
import { standStill } from '../standStill.ts'
import { compileBundle } from './compileBundle.ts'
import { type Assignment, createExecutor, type Executor } from './executor.ts'
import { freezeLanguage } from './freeze.ts'

const giveWayMs = 1

/**
 * A process that runs executions one after the other, each in a realm that has run nothing before; at level `shared`, all
 * in one. Speaks with the supervisor over its pipes, and reads from them only when it has nothing else to do.
 */
async function main(): Promise<void> {
  const realmSource = readFileSync(join(__dirname, 'realm.js'), 'utf8')
  let isWarm = false
  const executor = createExecutor({
    realmSource,
    write: (header, body) => isWarm && writeFrame(header, body),
    fetched: createFetchedFrames(),
  })
  await warmUp(executor)
  freezeLanguage()
  isWarm = true
  const assignment = readAssignment(readFrame(downwardLimits))
  writeFrame({ type: 'ready' })
  for (;;) {
    await executor.prepare(assignment)
    writeFrame({ type: 'prepared' })
    const job = readJob()
    await executor.execute(readRun(job.header.run), job.body)
    // The next realm would take the core on which the supervisor passes the answer on.
    standStill(giveWayMs)
  }
}

/** The next execution. What still comes back for the outgoing calls of the last one is nobody's. */
function readJob(): Frame {
  for (;;) {
    const frame = readFrame(downwardLimits)
    if (frame.header.type !== 'fetched') return frame
  }
}

function readAssignment({ header, body }: Frame): Assignment {
  return {
    compiled: compileBundle(body),
    responseBodyBytes: Number(header.responseBodyBytes),
    timeoutMs: Number(header.timeoutMs),
    logBytes: Number(header.logBytes),
    isShared: header.isolation === 'shared',
    isEager: header.isEager === true,
  }
}

const sample = `exports.default = async (request) => Response.json({ url: new URL(request.url).href, text: await request.text() })`
const sampleRequest = { method: 'POST', path: '/', query: [], headers: [['a', 'b']], body: { utf8: 'x' } }

/** Walks one request of our own, so that V8 has compiled the way before the first of a function comes along it. */
async function warmUp(executor: Executor): Promise<void> {
  const limits = { responseBodyBytes: 1_000, timeoutMs: 1_000, logBytes: 1_000 }
  const compiled = compileBundle(Buffer.from(sample))
  await executor.prepare({ ...limits, compiled, isShared: false, isEager: true })
  await executor.execute(
    { id: 0, clockMs: 0, seed: `0x${'00'.repeat(32)}` },
    Buffer.from(JSON.stringify(sampleRequest)),
  )
}

main().catch((error: unknown) => {
  process.stderr.write(`${String((error as Error).stack ?? error)}\n`)
  process.exit(70)
})
