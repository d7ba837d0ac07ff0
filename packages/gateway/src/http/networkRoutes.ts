import type { Request } from 'express'
import type { Address, Hex } from 'viem'
import type { ChainParameters } from '../chain/chain.ts'
import type { Database } from '../database/database.ts'
import type { WorkerPool } from '../workers/workerLink.ts'
import { type Exchange, writeJson } from './write.ts'

export type NetworkInfo = {
  chainId: number
  networkName: string
  coordinator: Address
  registry: Address
  contracts: { parameters: Address; operators: Address; confirmedLane: Address; escrow: Address; court: Address }
  token: ChainParameters['token']
  /** The gateway's signing address: owners grant it a credit line. */
  requester: Address
  gatewayUrl: string
  workerUrl: string
  x402: { facilitatorUrl: string; networks: readonly string[] }
  rpcUrl?: string
}

export type NetworkRouteDeps = {
  info: NetworkInfo
  workers: Pick<WorkerPool, 'links'>
  database: Database
  headAgeMs: () => number
  isStopping: () => boolean
}

const oldestHeadMs = 30_000

/** `GET /v1/network`. */
export function getNetwork(deps: NetworkRouteDeps, _: Request, exchange: Exchange): void {
  const links = deps.workers.links()
  const runtimeDigests = [...new Set(links.flatMap((link): readonly Hex[] => link.runtimeDigests))]
  writeJson(exchange, 200, { ...deps.info, runtimeDigests, workers: links.length })
}

/** `GET /readyz`: 200 when database and chain answer and a worker is there, else 503; each check is named. */
export async function getReadiness(deps: NetworkRouteDeps, _: Request, exchange: Exchange): Promise<void> {
  const database = await deps.database.query('select 1 as one').then(
    () => true,
    () => false,
  )
  const checks = {
    database,
    chain: deps.headAgeMs() < oldestHeadMs,
    workers: deps.workers.links().length > 0,
    serving: !deps.isStopping(),
  }
  const isReady = Object.values(checks).every(Boolean)
  writeJson(exchange, isReady ? 200 : 503, { status: isReady ? 'ok' : 'unavailable', checks })
}
