import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildProject } from '@peerhost/bundler'
import { requireDockerEngine } from '@peerhost/devnet'
import { canonicalRequest, decodeResult, encodeRequest, LIMITS_CLASSES } from '@peerhost/protocol'
import { createDockerSandbox, type Sandbox, type SandboxJob } from '@peerhost/worker'
import { dockerRun, runtimeImage } from '../dockerRun.ts'
import { get } from '../get.ts'
import { median } from '../median.ts'
import { ratePerSecond, timed } from '../rate.ts'
import { startExpress } from '../startExpress.ts'
import { startWorkerd } from './workerdServer.ts'

const rounds = 3
const callers = 8
const warmCalls = 300
const fewCalls = 9
/** Between two calls of one caller: the next realm is made ready in it. */
const pauseMs = 10
const slots = 2
/** What the peer runs for each request: the bundle, in a plain Node. */
const plainCall = `
const handler = module.exports.default ?? module.exports
const call = typeof handler === 'function' ? handler : handler.fetch.bind(handler)
Promise.resolve(call(new Request('https://function.peerhost.internal/?name=bench'), {}, {})).then((response) => response.text()).then(console.log)`

/** The sandbox alone, at every level, against `docker run` per request, plain Express and workerd. */
export async function run(): Promise<Record<string, number>> {
  const directory = mkdtempSync(join(tmpdir(), 'peerhost-bench-'))
  const { socketPath } = await requireDockerEngine({ onStep: (message) => console.error(message) })
  const { functions } = await buildProject({ directory: import.meta.dirname })
  const bundles = Object.fromEntries(functions.map(({ name, bundle }) => [name, bundle]))
  const small = bundles.small ?? new Uint8Array(0)
  const heavy = bundles.heavy ?? new Uint8Array(0)
  const sandbox = await createDockerSandbox({ directory, owner: `bench-${process.pid}`, slots, socketPath })
  try {
    const rates = await measureRates({ sandbox, socketPath, small, heavy })
    const times = await measureTimes(sandbox, small)
    const idleMiB = await measureIdle(sandbox, socketPath, small)
    console.error(`heavy bundle ${heavy.length} bytes; ${Math.floor(1_024 / idleMiB)} idle deployments in 1 GiB`)
    return { ...rates, ...times, idleMiB }
  } finally {
    await sandbox.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

type Subjects = { sandbox: Sandbox; socketPath: string; small: Uint8Array; heavy: Uint8Array }

async function measureRates({ sandbox, socketPath, small, heavy }: Subjects): Promise<Record<string, number>> {
  const image = await runtimeImage(socketPath)
  const workerd = await startWorkerd(small)
  const express = await startExpress()
  const script = (bundle: Uint8Array) => `${new TextDecoder().decode(bundle)}\n${plainCall}`
  const smallScript = script(small)
  const heavyScript = script(heavy)
  const targets: Record<string, { call: () => Promise<unknown>; parallel: number }> = {
    context: { call: () => execute(sandbox, jobOf('small', small)), parallel: callers },
    process: { call: () => execute(sandbox, jobOf('small', small, 'process')), parallel: callers },
    shared: { call: () => execute(sandbox, jobOf('small', small, 'shared')), parallel: callers },
    heavyContext: { call: () => execute(sandbox, jobOf('heavy', heavy)), parallel: callers },
    dockerRun: { call: () => dockerRun(socketPath, image, smallScript), parallel: 2 },
    heavyDockerRun: { call: () => dockerRun(socketPath, image, heavyScript), parallel: 2 },
    workerd: { call: () => get(`${workerd.url}?name=bench`), parallel: callers },
    express: { call: () => get(`${express.url}?name=bench`), parallel: callers },
  }
  try {
    const rates = await alternate(targets)
    const ratio = (name: string, peer: string) => Number(((rates[name] ?? 0) / (rates[peer] ?? 1)).toFixed(2))
    return {
      contextOverDockerRun: ratio('context', 'dockerRun'),
      heavyContextOverDockerRun: ratio('heavyContext', 'heavyDockerRun'),
      processOverDockerRun: ratio('process', 'dockerRun'),
      sharedOverDockerRun: ratio('shared', 'dockerRun'),
      contextOverWorkerd: ratio('context', 'workerd'),
      contextOverExpress: ratio('context', 'express'),
    }
  } finally {
    workerd.stop()
    express.stop()
  }
}

/** Rounds alternate, so that what the machine does besides falls on all. */
async function alternate(targets: Record<string, { call: () => Promise<unknown>; parallel: number }>) {
  const rates: Record<string, number[]> = {}
  for (const { call } of Object.values(targets)) for (let warm = 0; warm < slots * 2; warm += 1) await call()
  for (let round = 0; round < rounds; round += 1)
    for (const [name, { call, parallel }] of Object.entries(targets)) {
      rates[name] ??= []
      rates[name].push(await ratePerSecond(call, parallel))
    }
  const medians = Object.entries(rates).map(([name, values]) => [name, median(values)] as const)
  for (const [name, rate] of medians) console.error(`${name.padEnd(16)} ${rate.toFixed(1).padStart(9)} per second`)
  return Object.fromEntries(medians)
}

async function measureTimes(sandbox: Sandbox, small: Uint8Array): Promise<Record<string, number>> {
  const direct = directCall(small)
  const directly: number[] = []
  const warm: number[] = []
  const busy: number[] = []
  for (let call = 0; call < warmCalls; call += 1) {
    directly.push(await timed(direct))
    await sleep(pauseMs)
    warm.push(await timed(() => execute(sandbox, jobOf('small', small))))
  }
  for (let call = 0; call < warmCalls; call += 1) busy.push(await timed(() => execute(sandbox, jobOf('small', small))))
  const cold: number[] = []
  for (let call = 0; call < fewCalls; call += 1) {
    // Time for the engine to have the next container ready, as it has between two new functions.
    await sleep(2_500)
    cold.push(await timed(() => execute(sandbox, jobOf(`new-${call}`, small))))
  }
  const contained: number[] = []
  await execute(sandbox, jobOf('small', small, 'container'))
  for (let call = 0; call < fewCalls; call += 1) {
    await sleep(2_500)
    contained.push(await timed(() => execute(sandbox, jobOf('small', small, 'container'))))
  }
  const ms = (value: number) => Number(value.toFixed(2))
  console.error(`direct ${ms(median(directly))} ms, warm ${ms(median(warm))} ms, cold ${ms(median(cold))} ms`)
  return {
    warmOverheadMs: ms(median(warm) - median(directly)),
    busyOverheadMs: ms(median(busy) - median(directly)),
    coldOverWarmMs: ms(median(cold) - median(warm)),
    containerP50Ms: ms(median(contained)),
  }
}

/** The function called in this process: what the sandbox adds is measured against it. */
function directCall(bundle: Uint8Array): () => Promise<string> {
  const module = { exports: {} as { default?: (request: Request) => Promise<Response> } }
  new Function('exports', 'module', new TextDecoder().decode(bundle))(module.exports, module)
  const handler = module.exports.default
  if (!handler) throw new Error('The bench function has no default export.')
  return async () => (await handler(new Request('https://function.peerhost.internal/?name=bench'))).text()
}

/** Memory of one container that waits for the next call of its function, in MiB. */
async function measureIdle(sandbox: Sandbox, socketPath: string, small: Uint8Array): Promise<number> {
  const names = Array.from({ length: 3 }, (_, index) => `idle-${index}`)
  for (const name of names) await execute(sandbox, jobOf(name, small))
  await sleep(3_000)
  const format = ['--format', '{{.MemUsage}}']
  const ids = await lines('docker', [
    '-H',
    `unix://${socketPath}`,
    'ps',
    '-q',
    '--filter',
    `label=peerhost.owner=bench-${process.pid}`,
  ])
  const used = await lines('docker', ['-H', `unix://${socketPath}`, 'stats', '--no-stream', ...format, ...ids])
  return Number(median(used.map((text) => Number.parseFloat(text) * (text.includes('GiB') ? 1_024 : 1))).toFixed(1))
}

async function lines(command: string, values: readonly string[]): Promise<string[]> {
  let output = ''
  for await (const chunk of spawn(command, values).stdout) output += String(chunk)
  return output.trim().split('\n')
}

const request = encodeRequest(
  canonicalRequest({ method: 'GET', path: '/', query: 'name=bench', headers: [], body: new Uint8Array(0) }),
)

function jobOf(deployment: string, bundle: Uint8Array, isolation: SandboxJob['isolation'] = 'context'): SandboxJob {
  const terms = { issuedAt: 1_700_000_000, seed: `0x${'5e'.repeat(32)}` as const, limits: LIMITS_CLASSES[0], request }
  return { deployment, bundle, isolation, ...terms }
}

async function execute(sandbox: Sandbox, job: SandboxJob): Promise<void> {
  const run = await sandbox.run(job, AbortSignal.timeout(60_000))
  if (run.outcome !== 'completed' || run.status !== 200)
    throw new Error(`${job.deployment} ended as ${run.outcome}: ${JSON.stringify(decodeResult(run.result))} ${run.log}`)
}
