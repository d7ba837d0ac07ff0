#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { runCli } from './runCli.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
const interrupted = 130

/** A reader that closed the pipe has what it wanted: `peerhost ls | head -1` is no failure. */
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1))

const abort = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => {
    if (abort.signal.aborted) process.exit(interrupted)
    abort.abort()
  })

const exitCode = await runCli(
  {
    env: process.env,
    cwd: process.cwd(),
    version,
    signal: abort.signal,
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
  },
  process.argv.slice(2),
)
// Idle connections of viem and undici would keep the process; stdout to a pipe is asynchronous and must drain first.
process.stdout.write('', () => process.exit(exitCode))
