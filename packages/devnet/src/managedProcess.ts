import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PeerHostError } from '@peerhost/protocol'

/** How a process ended. */
export type Exit = { code: number | null; signal: NodeJS.Signals | null }

/** A child process that cannot outlive this one. */
export type ManagedProcess = {
  name: string
  pid: number
  logFile: string
  /** Resolves when the process has ended, whoever ended it. */
  exited: Promise<Exit>
  isRunning: () => boolean
  /** SIGTERM, then SIGKILL when it is still there after the grace. Resolves once it is gone. */
  stop: (graceMs?: number) => Promise<Exit>
  /** Sends a signal and returns at once. */
  kill: (signal: NodeJS.Signals) => void
}

export type ManagedProcessOptions<Ready> = {
  name: string
  /** `guard` runs a program of any kind, `launch` imports a module by its name. */
  entry: 'guard' | 'launch'
  args: readonly string[]
  env?: Record<string, string>
  logFile: string
  /** Reads the message by which the child says that it serves; `undefined` for any other message. */
  parseReady: (message: unknown) => Ready | undefined
  readyTimeoutMs: number
  signal?: AbortSignal | undefined
}

const fromSources = import.meta.url.endsWith('.ts')

/** Node options under which a child resolves the workspace's packages the same way as this process. */
export const nodeConditions: readonly string[] = fromSources ? ['--conditions=@peerhost/source'] : []

/**
 * Starts a child and waits for its ready message. Its output goes to the log file; it leads a process group of its
 * own, so that Ctrl-C reaches it through us and in our order. Throws `internal` with the end of the log when it does
 * not become ready, and leaves nothing behind then.
 */
export async function startManagedProcess<Ready>(
  options: ManagedProcessOptions<Ready>,
): Promise<ManagedProcess & { ready: Ready }> {
  const log = openSync(options.logFile, 'a')
  const path = fileURLToPath(new URL(`./${options.entry}.${fromSources ? 'ts' : 'js'}`, import.meta.url))
  const child = fork(path, options.args, {
    detached: true,
    env: { ...inheritedEnvironment(), ...options.env },
    execArgv: [...nodeConditions],
    stdio: ['ignore', log, log, 'ipc'],
  })
  closeSync(log)
  const managed = manage(child, options)
  try {
    return { ...managed, ready: await waitForReady(child, managed, options) }
  } catch (error) {
    await managed.stop(1_000)
    throw error
  }
}

/** The last lines of a log file, for an error's details. */
export function lastLines(file: string, count: number): string[] {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-count)
  } catch {
    return []
  }
}

function manage(child: ChildProcess, { name, logFile }: { name: string; logFile: string }): ManagedProcess {
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', () => {
      if (child.pid === undefined) resolve({ code: null, signal: null })
    })
  })
  const isRunning = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null
  const stop = async (graceMs = 10_000) => {
    if (!isRunning()) return exited
    child.kill('SIGTERM')
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
    const exit = await exited
    clearTimeout(timer)
    return exit
  }
  return { name, pid: child.pid ?? -1, logFile, exited, isRunning, stop, kill: (signal) => void child.kill(signal) }
}

function waitForReady<Ready>(
  child: ChildProcess,
  managed: ManagedProcess,
  { name, logFile, parseReady, readyTimeoutMs, signal }: ManagedProcessOptions<Ready>,
): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const fail = (what: string) =>
      finish(() =>
        reject(
          new PeerHostError('internal', `The ${name} ${what}.`, {
            details: lastLines(logFile, 14),
            hint: `Its log is ${logFile}.`,
          }),
        ),
      )
    const timer = setTimeout(() => fail(`did not become ready within ${readyTimeoutMs / 1_000} s`), readyTimeoutMs)
    const onMessage = (message: unknown) => {
      const ready = parseReady(message)
      if (ready !== undefined) finish(() => resolve(ready))
    }
    const onAbort = () => finish(() => reject(signal?.reason))
    const finish = (settle: () => void) => {
      clearTimeout(timer)
      child.off('message', onMessage)
      signal?.removeEventListener('abort', onAbort)
      settle()
    }
    child.on('message', onMessage)
    child.once('error', (error) => fail(`could not be started: ${error.message}`))
    void managed.exited.then(({ code, signal: by }) => fail(`ended before it was ready (${by ?? `exit ${code}`})`))
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort)
  })
}

/** What a child needs of our environment; none of our settings, so that the shell's do not leak into a devnet. */
function inheritedEnvironment(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ', 'SystemRoot']
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}
