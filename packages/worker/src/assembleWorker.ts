import { join } from 'node:path'
import { createDigestSigner, LIMITS, PeerHostError, sameHex } from '@peerhost/protocol'
import { nativeSigning } from '@peerhost/protocol/native'
import { createDiskStore, createHttpSource } from '@peerhost/storage'
import { erc20Abi, getAddress, parseUnits } from 'viem'
import { createBundles } from './bundles.ts'
import { type ChainClient, createChainClient } from './chain/chainClient.ts'
import { createCoordinator } from './chain/coordinator.ts'
import { createFileCursor } from './chain/cursor.ts'
import { createLane } from './chain/lane.ts'
import { createOperators } from './chain/operators.ts'
import { probeEndpoints } from './chain/probeEndpoints.ts'
import { createSender, type Sender } from './chain/sender.ts'
import { readSuite, type Suite } from './chain/suite.ts'
import type { WatchTimes } from './chain/watchLogs.ts'
import { watchRequests } from './chain/watchRequests.ts'
import type { WorkerConfig } from './config.ts'
import { type AssembleCourtParts, assembleCourt } from './court/assembleCourt.ts'
import { openDataDirectory, readGenesis } from './dataDirectory.ts'
import type { WorkerEventHub } from './events.ts'
import { openJournal } from './journal.ts'
import { readOperator, registerOperator } from './operator.ts'
import type { Sandbox } from './sandbox/sandbox.ts'
import { createWorker, type Worker } from './worker.ts'
import type { WorkerDeps, WorkerTimes } from './workerParts.ts'

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
  await checkEndpoints(config)
  const { events } = parts
  const onAway = (endpoint: string, error: unknown) => events.emit('chain:endpoint-away', { endpoint, error })
  const chain = createChainClient({ ...config, onAway })
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
  const executionKey = createDigestSigner(config.executionKey, nativeSigning)
  const operatorSender = config.operatorKey && createSender(chain, config.operatorKey)
  const suite = await suiteOf(chain, config)
  const operator = await seatOperator(config, chain, suite, sandbox, operatorSender)
  // Anyone who can pay for gas may bring an attestation; without the operator's key the execution key tries.
  const sender = operatorSender ?? createSender(chain, config.executionKey)
  const coordinator = createCoordinator({ client, suite, sender })
  const protocolTimes = await coordinator.readTimes()
  const files = await openDataDirectory({
    directory: config.dataDirectory,
    ...domain,
    genesis: await readGenesis(client),
    executionKey: executionKey.address,
  })
  try {
    const journal = await openJournal({ file: files.journal, graceSeconds: protocolTimes.settlementGrace })
    const sources = bundleSources(config)
    const follow = { client, suite, sender, canWithdraw: operatorSender !== undefined, sources, files, protocolTimes }
    const worker = createWorker({
      domain,
      operator,
      executionKey,
      signing: nativeSigning,
      sandbox,
      fetchBundle: createBundles(sources),
      journal,
      coordinator,
      operators: createOperators({ client, suite, sender }),
      lane: createLane({ client, suite, operator, sender }),
      ...followersOf(follow, config, { events, watch: times?.watch ?? {} }),
      capturesSeeds: config.upkeep,
      protocolTimes,
      gateways: config.gateways,
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

/** What follows the chain for the worker: posted requests, and the court when it takes part in upkeep. */
function followersOf(
  parts: Omit<AssembleCourtParts, 'watching' | 'config'>,
  config: WorkerConfig,
  { events, watch }: { events: WorkerEventHub; watch: Partial<WatchTimes> },
): Pick<WorkerDeps, 'watchRequests' | 'court'> {
  const { client, suite, files, protocolTimes } = parts
  const watching = { client, deployBlock: config.deployBlock, emit: events.emit, times: watch }
  const requests = {
    ...watching,
    address: suite.confirmedLane,
    cursor: createFileCursor(files.cursor),
    oldestSeconds: protocolTimes.maximumTicketLifetime + 2 * LIMITS.clockSkewSeconds,
  }
  return {
    watchRequests: (onRequest, signal) => watchRequests({ ...requests, onRequest }, signal),
    ...(config.upkeep ? { court: assembleCourt({ ...parts, watching, config }) } : {}),
  }
}

/** One endpoint that answers is enough; one of another chain is too many, because any of them may be asked later. */
async function checkEndpoints({ rpcUrls, chainId }: WorkerConfig): Promise<void> {
  const probes = await probeEndpoints(rpcUrls)
  for (const probe of probes) {
    if (probe.type === 'away' || probe.chainId === chainId) continue
    throw new PeerHostError('config_invalid', `The RPC is of chain ${probe.chainId}, not ${chainId}.`, {
      details: [`Endpoint: ${probe.endpoint}`],
      hint: 'Make PEERHOST_RPC_URL and PEERHOST_CHAIN_ID agree.',
    })
  }
  if (probes.some(({ type }) => type === 'answers')) return
  throw new PeerHostError('chain_unavailable', 'The chain does not answer.', {
    details: probes.flatMap((probe) => (probe.type === 'away' ? [`${probe.endpoint}: ${probe.problem}`] : [])),
    hint: 'Check PEERHOST_RPC_URL.',
  })
}

/** The coordinator's contracts. What the settings name beside them must be the same. */
async function suiteOf({ client }: ChainClient, config: WorkerConfig): Promise<Suite> {
  const suite = await readSuite(client, config.coordinator).catch((cause: unknown) => {
    throw new PeerHostError('config_invalid', 'There is no coordinator of this version at the address.', {
      details: [`Coordinator: ${config.coordinator}`],
      hint: 'Check PEERHOST_COORDINATOR.',
      cause,
    })
  })
  const named = { PEERHOST_REGISTRY: [config.registry, suite.functions], PEERHOST_TOKEN: [config.token, suite.token] }
  for (const [name, [given, actual]] of Object.entries(named)) {
    if (!given || !actual || sameHex(given, actual)) continue
    throw new PeerHostError('config_invalid', `${name} is not the coordinator’s.`, {
      details: [`Coordinator: ${actual}`],
      hint: `Leave ${name} out: the coordinator names it.`,
    })
  }
  return suite
}

/** The operator this worker runs for: registered now, when its key is here; else the one that the chain names. */
async function seatOperator(
  config: WorkerConfig,
  { client }: ChainClient,
  suite: Suite,
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
    const stake = config.stake === undefined ? view.minimumStake : await stakeOf(suite, client, config.stake)
    await registerOperator(
      { client, domain, sender },
      { executionKey, stake, capacity: config.capacity, isolated: sandbox.isolated },
    )
    return sender.address
  }
  const holder = await createOperators({ client, suite, sender }).readKeyHolder(executionKey.address)
  if (holder) return getAddress(holder)
  throw new PeerHostError('worker_not_registered', 'No operator has registered this execution key.', {
    details: [`Execution key: ${executionKey.address}`],
    hint: 'Set PEERHOST_OPERATOR_KEY once to register it, or register it with the command line.',
  })
}

async function stakeOf({ token }: Suite, client: ChainClient['client'], stake: string): Promise<bigint> {
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
