import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PeerHostError } from '@peerhost/protocol'
import { programFiles, writePrograms } from '@peerhost/runtime'
import { createContainerPool } from './containerPool.ts'
import type { Sandbox } from './sandbox.ts'
import { sandboxRun } from './sandboxRun.ts'
import { poolOptions, type SandboxOptions } from './sandboxSettings.ts'
import type { Transport } from './transport.ts'

const keptStderrCharacters = 2_000
const obeysWithinMs = 2_000

/**
 * The same supervisor and host without a container, for serving one's own functions where there is no Docker: `isolated` is
 * false, and nothing but Node's permission model stands between the function and this machine. Says so in the log.
 */
export async function createProcessSandbox(options: SandboxOptions): Promise<Sandbox> {
  options.log?.('NOT ISOLATED: functions run as plain processes of this machine. Serve only functions that you wrote.')
  const { supervisor } = await writePrograms({ directory: join(options.directory, 'programs') })
  const pool = createContainerPool({ ...poolOptions(options), start: () => start(supervisor) })
  return {
    kind: 'process',
    isolated: false,
    runtimeDigest: await programsDigest(supervisor),
    async run(job, signal) {
      const { ending, queueMs } = await pool.run(job, signal)
      return sandboxRun(ending, queueMs)
    },
    warm: pool.warm,
    close: pool.close,
  }
}

async function start(supervisor: string): Promise<Transport> {
  const child = spawn(process.execPath, ['--disable-sigusr1', '--no-warnings', supervisor], {
    cwd: dirname(supervisor),
    env: {},
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const gone = Promise.withResolvers<string>()
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-keptStderrCharacters)
  })
  child.once('close', () => gone.resolve(`The supervisor ended. ${stderr}`.trim()))
  await new Promise<void>((done, failed) => {
    child.once('spawn', done)
    child.once('error', (cause) =>
      failed(new PeerHostError('sandbox_unavailable', 'The supervisor process did not start.', { cause })),
    )
  })
  return {
    input: child.stdin,
    output: child.stdout,
    closed: gone.promise,
    async kill() {
      // Its end of input is what it obeys: it kills its hosts first.
      child.stdin.end()
      const overdue = setTimeout(() => child.kill('SIGKILL'), obeysWithinMs)
      await gone.promise
      clearTimeout(overdue)
    },
  }
}

async function programsDigest(supervisor: string): Promise<`0x${string}`> {
  const hash = createHash('sha256')
  for (const name of Object.values(programFiles).sort()) hash.update(await readFile(join(dirname(supervisor), name)))
  return `0x${hash.digest('hex')}`
}
