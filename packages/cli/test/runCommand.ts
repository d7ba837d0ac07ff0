import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export type Finished = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** The command line of the `peerhost` program, from sources. */
export const peerhost = [process.execPath, '--conditions=@peerhost/source', main] as const

/** Runs `peerhost` with its three streams as pipes. */
export function runPiped(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; onStderr?: (text: string, kill: Kill) => void } = {},
): Promise<Finished> {
  return collect([...peerhost, ...args], options)
}

type Kill = (signal: NodeJS.Signals) => void

/**
 * Runs `peerhost` on a pseudo-terminal: its streams are a terminal, as under a person's hands. The two streams arrive
 * as one, in `stdout`.
 */
export function runOnTerminal(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Finished> {
  const program = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))'
  return collect(['python3', '-c', program, ...peerhost, ...args], {
    ...options,
    env: { TERM: 'xterm', ...options.env },
  })
}

function collect(
  [program = '', ...args]: readonly string[],
  { cwd, env, onStderr }: { cwd?: string; env?: Record<string, string>; onStderr?: (text: string, kill: Kill) => void },
): Promise<Finished> {
  const { PATH = '', HOME = '' } = process.env
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env: { PATH, HOME, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
    const out: string[] = []
    const err: string[] = []
    child.stdout.setEncoding('utf8').on('data', (text: string) => out.push(text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err.push(text)
      onStderr?.(err.join(''), (signal) => child.kill(signal))
    })
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout: out.join(''), stderr: err.join('') }))
    child.stdin.end()
  })
}
