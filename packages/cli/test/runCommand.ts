import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export type Finished = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** The command line of the `peerhost` program, from sources. */
export const peerhost = [process.execPath, '--conditions=@peerhost/source', main] as const

/** Runs `peerhost` with its three streams as pipes. */
export function runPiped(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return collect([...peerhost, ...args], options)
}

const endsWithinMs = 120_000

type Kill = (signal: NodeJS.Signals) => void
type RunOptions = {
  cwd?: string
  env?: Record<string, string>
  /** What standard input holds; on a terminal, what is typed after each of these was shown. */
  input?: string
  typed?: readonly (readonly [prompt: string, text: string])[]
  onStderr?: (text: string, kill: Kill) => void
}

/**
 * Runs `peerhost` on a pseudo-terminal: its streams are a terminal, as under a person's hands. The two streams arrive
 * as one, in `stdout`.
 */
export function runOnTerminal(args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const program = 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))'
  // A new one has no size, and prompts would be drawn a character a line.
  const sized = ['sh', '-c', 'stty cols 120 rows 40; exec "$@"', 'sh']
  return collect(['python3', '-c', program, ...sized, ...peerhost, ...args], {
    ...options,
    env: { TERM: 'xterm', ...options.env },
  })
}

function collect(
  [program = '', ...args]: readonly string[],
  { cwd, env, input, typed = [], onStderr }: RunOptions,
): Promise<Finished> {
  const { PATH = '', HOME = '' } = process.env
  return new Promise((resolve, reject) => {
    // A prompt that nobody answers must not outlive the test.
    const options = { cwd, env: { PATH, HOME, ...env }, timeout: endsWithinMs }
    const child = spawn(program, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
    const out: string[] = []
    const err: string[] = []
    const left = [...typed]
    let shown = 0
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out.push(text)
      const [next] = left
      const at = next ? out.join('').indexOf(next[0], shown) : -1
      if (!next || at < 0) return
      shown = at + next[0].length
      left.shift()
      child.stdin.write(next[1])
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err.push(text)
      onStderr?.(err.join(''), (signal) => child.kill(signal))
    })
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stdout: out.join(''), stderr: err.join('') }))
    if (typed.length === 0) child.stdin.end(input)
  })
}
