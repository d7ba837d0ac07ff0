import { operatorRegistryAbi, type ProtocolDomain, protocolParametersAbi, zeroBytes32 } from '@peerhost/protocol'
import type { Address, PublicClient } from 'viem'
import { probeEndpoints } from '../chain/probeEndpoints.ts'
import { readSuite } from '../chain/suite.ts'
import type { OpenSettings } from '../config.ts'
import { readOperator } from '../operator.ts'
import { connectDocker } from '../sandbox/docker.ts'
import { findRuntimeImage } from '../sandbox/runtimeImage.ts'
import {
  type LocalStanding,
  type SeatStanding,
  type StatusFacts,
  type StatusReason,
  statusReasons,
} from './statusReasons.ts'
import { type WorkerSnapshot, workerSnapshotSchema } from './workerSnapshot.ts'

export type ReadStatusDeps = { client: PublicClient; domain: ProtocolDomain }

/** A worker on this machine, as far as it is known without its password. */
export type LocalWorker = {
  settings: OpenSettings
  executionKey: Address | undefined
  /** Who sends the worker's own transactions. */
  gasPayer: Address | undefined
}

export type WorkerStatus = StatusFacts & { reasons: StatusReason[]; ready: boolean }

const snapshotWithinMs = 3_000

/** An operator's state on chain and, where its worker is of this machine, why it gets no job or no reward. */
export async function readStatus(
  { client, domain }: ReadStatusDeps,
  { operator, local }: { operator: Address; local?: LocalWorker | undefined },
): Promise<WorkerStatus> {
  const nowSeconds = Math.floor(Date.now() / 1_000)
  const [view, seats, standing] = await Promise.all([
    readOperator({ client, domain }, operator),
    readSeats({ client, domain }, operator),
    local && readLocal(client, local),
  ])
  const facts: StatusFacts = { nowSeconds, view, seats, local: standing }
  const reasons = statusReasons(facts)
  return { ...facts, reasons, ready: !reasons.some(({ effect }) => effect === 'stops') }
}

async function readSeats({ client, domain }: ReadStatusDeps, operator: Address): Promise<SeatStanding> {
  const suite = await readSuite(client, domain.coordinator)
  const operators = { address: suite.operators, abi: operatorRegistryAbi } as const
  const parameters = { address: suite.parameters, abi: protocolParametersAbi } as const
  const [{ timestamp }, { epochSeconds }, { committeeSize }] = await Promise.all([
    client.getBlock({ includeTransactions: false }),
    client.readContract({ ...parameters, functionName: 'times' }),
    client.readContract({ ...parameters, functionName: 'current' }),
  ])
  const epoch = Math.floor(Number(timestamp) / epochSeconds)
  const stakeAt = (at: number) => client.readContract({ ...operators, functionName: 'stakeAt', args: [operator, at] })
  const [{ seed, totalStake, operatorCount }, ...stakes] = await Promise.all([
    client.readContract({ ...operators, functionName: 'getEpoch', args: [epoch] }),
    ...[epoch, epoch + 1, epoch + 2].map(stakeAt),
  ])
  const first = stakes.findIndex((stake) => stake > 0n)
  const from = epoch + first
  return {
    epoch,
    seedCaptured: seed !== zeroBytes32,
    stakeCounted: stakes[0] ?? 0n,
    ...(first > 0 ? { countsFrom: { epoch: from, atSeconds: from * epochSeconds } } : {}),
    totalStake,
    operatorCount,
    committeeSize,
  }
}

async function readLocal(
  client: PublicClient,
  { settings, executionKey, gasPayer }: LocalWorker,
): Promise<LocalStanding> {
  const { rpcUrls, chainId, gateways } = settings
  const [endpoints, snapshot, gas] = await Promise.all([
    probeEndpoints(rpcUrls),
    readSnapshot(settings),
    gasPayer && client.getBalance({ address: gasPayer }).then((balance) => ({ address: gasPayer, balance })),
  ])
  const engine = snapshot ? undefined : await readEngine(settings)
  return { executionKey, gateways, chainId, endpoints, gas, snapshot, engine }
}

/** What the running worker says at `/status`; `undefined` when none answers there. */
export async function readSnapshot({
  metricsHost,
  metricsPort,
}: Pick<OpenSettings, 'metricsHost' | 'metricsPort'>): Promise<WorkerSnapshot | undefined> {
  if (metricsPort === undefined) return undefined
  const host = ['0.0.0.0', '::'].includes(metricsHost) ? '127.0.0.1' : metricsHost
  try {
    const answer = await fetch(`http://${host}:${metricsPort}/status`, {
      signal: AbortSignal.timeout(snapshotWithinMs),
    })
    return workerSnapshotSchema.parse(await answer.json())
  } catch {
    return undefined
  }
}

async function readEngine({ sandbox, dockerSocket, runtimeDirectory }: OpenSettings): Promise<LocalStanding['engine']> {
  if (sandbox !== 'docker') return undefined
  try {
    const engine = connectDocker(dockerSocket === undefined ? {} : { socketPath: dockerSocket })
    return (await findRuntimeImage(engine, runtimeDirectory)) ? 'ready' : 'image-missing'
  } catch {
    return 'away'
  }
}
