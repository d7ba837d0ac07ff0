/**
 * Starts a whole network on this machine, deploys examples/weather and calls it in every way there is.
 *
 *   npm start                       shows a table, then stays up until Ctrl-C
 *   npm start -- --once --json      the same, ends with one line of JSON on stdout; exit 0 when every row is ok
 *   npm start -- --workers 3
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { parseArgs } from 'node:util'
import { type Devnet, requireDockerEngine, startDevnet } from '@peerhost/devnet'
import { connect } from '@peerhost/sdk'
import { deploy } from '@peerhost/sdk/node'
import { callEveryWay, type Row } from './calls.ts'
import { formatRows, formatStaying } from './report.ts'

const { values: flags } = parseArgs({
  options: {
    once: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    workers: { type: 'string', default: '2' },
  },
})
const abort = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => abort.abort())

const startedAt = performance.now()
process.exitCode = await run().catch((error: Error & { hint?: string; details?: string[] }) => {
  if (abort.signal.aborted) return 130
  for (const line of [error.message, ...(error.details ?? []), error.hint]) if (line) progress(line)
  if (flags.json) console.log(JSON.stringify({ rows: [], error: error.message }))
  return 1
})
// Connections that clients keep open would hold the process.
process.stdout.write('', () => process.exit())

async function run(): Promise<number> {
  const engine = await requireDockerEngine({ confirm: askOnTerminal(), onStep: progress, signal: abort.signal })
  const directory = mkdtempSync(join(tmpdir(), 'peerhost-demo-'))
  try {
    const devnet = await startDevnet({
      directory,
      workers: Number(flags.workers),
      dockerSocket: engine.socketPath,
      onEvent: (event) => progress(event.type === 'step' ? event.text : `${event.name} ended: see ${event.logFile}`),
      signal: abort.signal,
    })
    try {
      return await show(devnet)
    } finally {
      await devnet.stop()
    }
  } finally {
    rmSync(directory, { recursive: true, force: true })
    await engine.release()
  }
}

async function show(devnet: Devnet): Promise<number> {
  const { signal } = abort
  const urls = await deployWeather(devnet)
  const rows: Row[] = []
  for await (const row of callEveryWay(devnet, urls, signal)) {
    progress(`${row.ok ? 'ok    ' : 'FAILED'} ${row.call}${row.error ? `: ${row.error}` : ''}`)
    rows.push(row)
  }
  const table = formatRows(rows)
  if (flags.json) process.stderr.write(`\n${table}\n`)
  else console.log(`\n${table}`)
  const failed = rows.some(({ ok }) => !ok)
  if (!flags.once) {
    const staying = formatStaying(devnet, urls)
    if (flags.json) process.stderr.write(`\n${staying}\n`)
    else console.log(`\n${staying}`)
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve()
      else signal.addEventListener('abort', () => resolve())
    })
  }
  if (flags.json) console.log(JSON.stringify({ rows }))
  return failed ? 1 : 0
}

async function deployWeather(devnet: Devnet): Promise<{ today: string; forecast: string }> {
  progress('Deploying examples/weather')
  const developer = await connect({
    gatewayUrl: devnet.gatewayUrl,
    rpcUrl: devnet.chain.rpcUrl,
    account: devnet.accounts.developer,
    pollingIntervalMs: 50,
  })
  const { functions } = await deploy(developer, {
    directory: join(import.meta.dirname, '../weather'),
    credit: { amount: '10', capPerEpoch: '10' },
    signal: abort.signal,
  })
  const urlOf = (name: string) => {
    const url = functions.find((candidate) => candidate.name === name)?.url
    if (!url) throw new Error(`The function ${name} was not deployed.`)
    return url
  }
  return { today: urlOf('today'), forecast: urlOf('forecast') }
}

function progress(text: string): void {
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1).padStart(5)
  process.stderr.write(`${seconds} s  ${text}\n`)
}

/** Only a person at a terminal is asked before something is installed. */
function askOnTerminal(): ((question: string) => Promise<boolean>) | undefined {
  if (!process.stdin.isTTY || !process.stderr.isTTY || flags.json) return undefined
  return async (question) => {
    const terminal = createInterface({ input: process.stdin, output: process.stderr })
    const answer = await terminal.question(`${question} [Y/n] `, { signal: abort.signal })
    terminal.close()
    return !/^n/i.test(answer.trim())
  }
}
