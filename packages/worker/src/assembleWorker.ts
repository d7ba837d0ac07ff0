import { join } from 'node:path'
import { createDigestSigner, LIMITS, PeerHostError } from '@peerhost/protocol'
import { nativeSigning } from '@peerhost/protocol/native'
import { createDiskStore, createHttpSource } from '@peerhost/storage'
import { erc20Abi, getAddress, parseUnits } from 'viem'
import { createBundles } from './bundles.ts'
import { type ChainClient, createChainClient } from './chain/chainClient.ts'
import { createCoordinator } from './chain/coordinator.ts'
import { createFileCursor } from './chain/cursor.ts'
import { createSender, type Sender } from './chain/sender.ts'
import { type WatchTimes, watchRequests } from './chain/watchRequests.ts'
import type { WorkerConfig } from './config.ts'
import { openDataDirectory, readGenesis } from './dataDirectory.ts'
import type { WorkerEventHub } from './events.ts'
import { openJournal } from './journal.ts'
import { readOperator, registerOperator } from './operator.ts'
import type { Sandbox } from './sandbox/sandbox.ts'
import { createWorker, type Worker, type WorkerTimes } from './worker.ts'

/** A worker and everything that it holds open. */
export type AssembledWorker = {
  worker: Worker
  operator: `0x${string}`
  executionKey: `0x${string}`
  /** Gives back files and connections; after `worker.drain` or `worker.stop`. */
  close: () => Promise<void>
}

/** What a worker's settings do not make. `times` is for impatient callers. */
export type AssembleParts = {
  sandbox: Sandbox
  events: WorkerEventHub
  times?: Partial<WorkerTimes> & { watch?: Partial<WatchTimes> }
}

/**
 * Builds a worker from its settings: chain, operator (registered when it has the key and is not yet), journal, sources.
 * Throws what `registerOperator`, `openDataDirectory` and `openJournal` throw, and `worker_not_registered`.
 */
export async function assembleWorker(config: WorkerConfig, parts: AssembleParts): Promise<AssembledWorker> {
  const chain = createChainClient(config)
  try {
    return await assembleOn(chain, config, parts)
  } catch (error) {
    await chain.close()
    throw error
  }
}

async function assembleOn(chain: ChainClient, config: WorkerConfig, { sandbox, events, times }: AssembleParts) {
  const { client } = chain
  const domain = { chainId: config.chainId, coordinator: config.coordinator }
  await checkChain(chain, config.chainId)
  const executionKey = createDigestSigner(config.executionKey, nativeSigning)
  const operatorSender = config.operatorKey && createSender(chain, config.operatorKey)
  const operator = await seatOperator(config, chain, sandbox, operatorSender)
  // Anyone who can pay for gas may bring an attestation; without the operator's key the execution key tries.
  const sender = operatorSender ?? createSender(chain, config.executionKey)
  const coordinator = createCoordinator({ client, coordinator: config.coordinator, registry: config.registry, sender })
  const parameters = await coordinator.readParameters()
  const files = await openDataDirectory({
    directory: config.dataDirectory,
    ...domain,
    genesis: await readGenesis(client),
    executionKey: executionKey.address,
  })
  try {
    const journal = await openJournal({ file: files.journal, graceSeconds: parameters.settlementGrace })
    const oldestSeconds = parameters.maximumTicketLifetime + 2 * LIMITS.clockSkewSeconds
    const cursor = createFileCursor(files.cursor)
    const watching = {
      client,
      coordinator: config.coordinator,
      cursor,
      deployBlock: config.deployBlock,
      oldestSeconds,
      times: times?.watch ?? {},
    }
    const worker = createWorker({
      domain,
      operator,
      executionKey,
      signing: nativeSigning,
      sandbox,
      fetchBundle: createBundles(bundleSources(config)),
      journal,
      coordinator,
      parameters,
      gateways: config.gateways,
      watchRequests: (onRequest, signal) => watchRequests({ ...watching, emit: events.emit, onRequest }, signal),
      capacity: config.capacity,
      minimumFee: config.minimumFee,
      settlePatienceSeconds: config.settlePatienceSeconds,
      agent: 'peerhost-worker/0.1.0',
      events,
      now: Date.now,
      times: times ?? {},
    })
    const close = async () => {
      await journal.close()
      await files.release()
      await chain.close()
    }
    return { worker, operator, executionKey: executionKey.address, close }
  } catch (error) {
    await files.release()
    throw error
  }
}

async function checkChain({ client }: ChainClient, chainId: number): Promise<void> {
  const actual = await client.getChainId().catch((cause: unknown) => {
    throw new PeerHostError('chain_unavailable', 'The chain does not answer.', {
      cause,
      hint: 'Check PEERHOST_RPC_URL.',
    })
  })
  if (actual === chainId) return
  throw new PeerHostError('config_invalid', `The RPC is of chain ${actual}, not ${chainId}.`, {
    hint: 'Make PEERHOST_RPC_URL and PEERHOST_CHAIN_ID agree.',
  })
}

/** The operator this worker runs for: registered now, when its key is here; else the one that the chain names. */
async function seatOperator(
  config: WorkerConfig,
  { client }: ChainClient,
  sandbox: Sandbox,
  sender: Sender | undefined,
): Promise<`0x${string}`> {
  const executionKey = createDigestSigner(config.executionKey, nativeSigning)
  const domain = { chainId: config.chainId, coordinator: config.coordinator }
  if (!sandbox.isolated)
    throw new PeerHostError('not_isolated', 'A worker without an isolated sandbox does not work on a network.', {
      hint: 'Run it with Docker: PEERHOST_SANDBOX=docker.',
    })
  if (sender) {
    const view = await readOperator({ client, domain }, sender.address)
    const stake = config.stake === undefined ? view.minimumStake : await stakeOf(config, client, config.stake)
    await registerOperator({ client, domain, sender }, { executionKey, stake, isolated: sandbox.isolated })
    return sender.address
  }
  const coordinator = createCoordinator({ client, coordinator: config.coordinator, registry: config.registry, sender })
  const holder = await coordinator.readKeyHolder(executionKey.address)
  if (holder) return getAddress(holder)
  throw new PeerHostError('worker_not_registered', 'No operator has registered this execution key.', {
    details: [`Execution key: ${executionKey.address}`],
    hint: 'Set PEERHOST_OPERATOR_KEY once to register it, or register it with the command line.',
  })
}

async function stakeOf({ token }: WorkerConfig, client: ChainClient['client'], stake: string): Promise<bigint> {
  const decimals = await client.readContract({ address: token, abi: erc20Abi, functionName: 'decimals' })
  return parseUnits(stake, decimals)
}

/** This worker's disk, then the sources that were named, then the gateways it is connected to. */
function bundleSources({ dataDirectory, blockSources, gateways }: WorkerConfig) {
  const origins = gateways.map((url) => new URL(url.replace(/^ws/, 'http')).origin)
  const urls = [...new Set([...blockSources.map((url) => url.replace(/\/+$/, '')), ...origins])]
  return {
    cache: createDiskStore({ directory: join(dataDirectory, 'blocks') }),
    sources: urls.map((url) => createHttpSource({ url })),
  }
}
