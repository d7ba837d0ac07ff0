import { spawn } from 'node:child_process'

/**
 * Runs one program and ends it when the process that forked this one is gone, however it went: a program of another
 * language does not notice that its parent was killed, but the IPC channel to this process closes.
 */
const [program, ...args] = process.argv.slice(2)
const graceMs = 3_000
if (!program || !process.send) {
  process.stderr.write('guard: needs a program and an IPC channel\n')
  process.exit(2)
}

const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] })

function end(): void {
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGKILL'), graceMs).unref()
}

child.once('spawn', () => process.send?.({ type: 'ready', pid: child.pid }))
child.once('error', (error) => {
  process.stderr.write(`guard: ${error.message}\n`)
  process.exit(1)
})
child.once('exit', (code) => process.exit(code ?? 1))
process.on('disconnect', end)
process.on('SIGTERM', end)
process.on('SIGINT', end)
