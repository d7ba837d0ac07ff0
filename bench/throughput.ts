import { spawn } from 'node:child_process'
import { median } from './median.ts'
import { startBenchNetwork } from './network.ts'

const seconds = 4
const rounds = 3
const concurrency = 8

/** Executions per second through the whole network, against plain Express and against one `docker run` per request. */
export async function run(): Promise<Record<string, number>> {
  const network = await startBenchNetwork()
  try {
    const image = await runtimeImage(network.dockerSocket)
    const targets: Record<string, () => Promise<void>> = {
      peerhost: () => call(network.helloUrl),
      express: () => call(network.expressUrl),
      dockerRun: () => dockerRun(image),
    }
    for (const target of Object.values(targets)) await target()
    const rates: Record<string, number[]> = { peerhost: [], express: [], dockerRun: [] }
    for (let round = 0; round < rounds; round += 1) {
      for (const [name, target] of Object.entries(targets))
        rates[name]?.push(await ratePerSecond(target, name === 'dockerRun' ? 2 : concurrency))
    }
    const of = (name: string) => Number(median(rates[name] ?? []).toFixed(2))
    for (const name of Object.keys(targets))
      console.error(`${name.padEnd(10)} ${of(name).toFixed(1).padStart(9)} per second`)
    return {
      peerhostPerSecond: of('peerhost'),
      expressPerSecond: of('express'),
      dockerRunPerSecond: of('dockerRun'),
      peerhostOverDockerRun: Number((of('peerhost') / of('dockerRun')).toFixed(2)),
      expressOverPeerhost: Number((of('express') / of('peerhost')).toFixed(2)),
    }
  } finally {
    await network.close()
  }
}

async function ratePerSecond(call: () => Promise<void>, parallel: number): Promise<number> {
  const startedAt = performance.now()
  const until = startedAt + seconds * 1_000
  let done = 0
  const client = async () => {
    while (performance.now() < until) {
      await call()
      done += 1
    }
  }
  await Promise.all(Array.from({ length: parallel }, client))
  return done / ((performance.now() - startedAt) / 1_000)
}

async function call(url: string): Promise<void> {
  const response = await fetch(`${url}?name=bench`)
  const body = await response.text()
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${body}`)
}

/** The peer: the same Node in the same image, one container per request, as a sandbox without a pool would do it. */
function dockerRun(image: string): Promise<void> {
  const script = "process.stdout.write(JSON.stringify({ hello: 'bench' }))"
  const limits = [
    '--network',
    'none',
    '--read-only',
    '--cap-drop',
    'ALL',
    '--memory',
    '128m',
    '--pids-limit',
    '64',
    '--user',
    '65534',
  ]
  const child = spawn('docker', ['run', '--rm', ...limits, '--entrypoint', '/bin/node', image, '-e', script], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`docker run ended with ${code}.`))))
  })
}

/** The image that the workers of this run use. */
function runtimeImage(socketPath: string): Promise<string> {
  const child = spawn('docker', [
    '-H',
    `unix://${socketPath}`,
    'images',
    '--format',
    '{{.Repository}}:{{.Tag}}',
    'peerhost-runtime',
  ])
  return new Promise((resolve, reject) => {
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk
    })
    child.once('error', reject)
    child.once('close', () => {
      const [image] = output.trim().split('\n')
      if (image) resolve(image)
      else reject(new Error('There is no image peerhost-runtime.'))
    })
  })
}
