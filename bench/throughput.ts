import { dockerRun, runtimeImage } from './dockerRun.ts'
import { get } from './get.ts'
import { median } from './median.ts'
import { startBenchNetwork } from './network.ts'
import { ratePerSecond } from './rate.ts'

/** What the peer runs for each request. */
const script = "process.stdout.write(JSON.stringify({ hello: 'bench' }))"
const rounds = 3
const concurrency = 8

/** Executions per second through the whole network, against plain Express and against one `docker run` per request. */
export async function run(): Promise<Record<string, number>> {
  const network = await startBenchNetwork()
  try {
    const image = await runtimeImage(network.dockerSocket)
    const targets: Record<string, () => Promise<void>> = {
      peerhost: () => get(`${network.helloUrl}?name=bench`),
      express: () => get(`${network.expressUrl}?name=bench`),
      dockerRun: () => dockerRun(network.dockerSocket, image, script),
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
