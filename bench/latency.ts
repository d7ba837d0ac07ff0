import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from './median.ts'
import { startBenchNetwork } from './network.ts'

const pauseMs = 300

/**
 * One free call at a time, on each lane, against the same function in plain Express, in the same run.
 * The rounds alternate between them, so that a busy moment of the machine hits all three alike.
 */
export async function run(): Promise<Record<string, number>> {
  const network = await startBenchNetwork()
  try {
    const targets = [
      { name: 'express', calls: 100, call: () => timed(network.expressUrl) },
      { name: 'attested', calls: 100, call: () => timed(network.helloUrl, { 'peerhost-lane': 'attested' }) },
      // A caller that pauses meets a sandbox that had the time to start its next process.
      { name: 'paced', calls: 20, call: () => sleep(pauseMs).then(() => timed(network.helloUrl)) },
      { name: 'confirmed', calls: 10, call: () => timed(network.helloUrl, { 'peerhost-lane': 'confirmed' }) },
    ]
    for (const { call } of targets) for (let warmup = 0; warmup < 5; warmup += 1) await call()
    const samples: Record<string, number[]> = { express: [], attested: [], paced: [], confirmed: [] }
    for (let round = 0; round < 3; round += 1) {
      for (const { name, calls, call } of targets)
        for (let index = 0; index < calls; index += 1) samples[name]?.push(await call())
    }
    const of = (name: string, q: number) => Number(quantile(samples[name] ?? [], q).toFixed(2))
    console.error('lane        p50 ms   p95 ms')
    for (const { name } of targets)
      console.error(`${name.padEnd(10)} ${String(of(name, 0.5)).padStart(7)} ${String(of(name, 0.95)).padStart(8)}`)
    return {
      expressP50Ms: of('express', 0.5),
      attestedP50Ms: of('attested', 0.5),
      attestedP95Ms: of('attested', 0.95),
      pacedP50Ms: of('paced', 0.5),
      pacedP95Ms: of('paced', 0.95),
      confirmedP50Ms: of('confirmed', 0.5),
      confirmedP95Ms: of('confirmed', 0.95),
      attestedOverExpressMs: Number((of('attested', 0.5) - of('express', 0.5)).toFixed(2)),
    }
  } finally {
    await network.close()
  }
}

async function timed(url: string, headers: Record<string, string> = {}): Promise<number> {
  const startedAt = performance.now()
  const response = await fetch(`${url}?name=bench`, { headers })
  const body = await response.text()
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}: ${body}`)
  return performance.now() - startedAt
}
