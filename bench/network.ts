import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { requireDockerEngine, startDevnet } from '@peerhost/devnet'
import { connect } from '@peerhost/sdk'
import { deploy } from '@peerhost/sdk/node'
import { startExpress } from './startExpress.ts'

/** A devnet with the bench project on it. `helloUrl` is the function, `expressUrl` the same function in plain Express. */
export type BenchNetwork = { helloUrl: string; expressUrl: string; dockerSocket: string; close: () => Promise<void> }

/** Starts everything that the latency and throughput benchmarks compare. */
export async function startBenchNetwork(): Promise<BenchNetwork> {
  const directory = mkdtempSync(join(tmpdir(), 'peerhost-bench-'))
  const engine = await requireDockerEngine({ onStep: (message) => console.error(message) })
  const devnet = await startDevnet({ workers: 2, directory, dockerSocket: engine.socketPath })
  const developer = await connect({
    gatewayUrl: devnet.gatewayUrl,
    rpcUrl: devnet.chain.rpcUrl,
    account: devnet.accounts.developer,
  })
  const { functions } = await deploy(developer, {
    directory: join(import.meta.dirname, 'project'),
    credit: { amount: '100', capPerEpoch: '100' },
  })
  const express = await startExpress()
  return {
    helloUrl: functions[0]?.url ?? '',
    expressUrl: express.url,
    dockerSocket: engine.socketPath,
    close: async () => {
      express.stop()
      await devnet.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
