import type { ChildProcess } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import type { Variation } from '../variations.ts'

const runsForMs = 12
const standsForMs = 8

/** Disturbs a host while it lives, as its variation says. Does nothing for an ordinary run. */
export function disturb(child: ChildProcess, { isLoaded, isPaused }: Variation): void {
  if (child.pid === undefined) return
  if (isLoaded) {
    const load = new Worker('for (;;);', { eval: true, stdin: false })
    load.on('error', () => {})
    load.unref()
    child.once('exit', () => void load.terminate())
  }
  if (isPaused) pause(child)
}

function pause(child: ChildProcess): void {
  let timer: NodeJS.Timeout
  const after = (ms: number, next: () => void) => {
    timer = setTimeout(next, Math.random() * ms)
    timer.unref()
  }
  const send = (signal: 'SIGSTOP' | 'SIGCONT') => child.exitCode === null && child.kill(signal)
  const stand = () => {
    send('SIGSTOP')
    after(standsForMs, run)
  }
  const run = () => {
    send('SIGCONT')
    after(runsForMs, stand)
  }
  after(runsForMs, stand)
  child.once('exit', () => clearTimeout(timer))
}
