import { createDigestSigner, type DigestSigner, LIMITS, PeerHostError, type ProtocolDomain } from '@peerhost/protocol'
import type { Address } from 'viem'
import type { ChainEvent } from './chain/chain.ts'
import { createChainWatcher } from './chain/chainWatcher.ts'
import { inputFor } from './court/inputs.ts'
import { createJudgements } from './court/judgements.ts'
import { createEgressBroker, type EgressBroker } from './egress/broker.ts'
import { publicNetwork } from './egress/egressNetwork.ts'
import { createNetworkTerms, type NetworkTerms } from './egress/networkTerms.ts'
import { type ServeWorkersDeps, serveWorker } from './egress/serveWorkers.ts'
import { type GatewayDeps, timing } from './gatewayDeps.ts'
import { createPaymentGate } from './payment/x402.ts'
import { conflictOf, keepConflict } from './quorum/reportConflicts.ts'
import { createFunctionRegistry } from './registry/functionRegistry.ts'
import type { functionUrls } from './registry/functionUrl.ts'
import { createRequesterStanding, type RequesterStanding } from './requester/requesterStanding.ts'
import { createSequences } from './requester/sequences.ts'
import { createRecorder, type Recorder } from './requests/recorder.ts'
import { insertDraft, setPosted } from './requests/requestTable.ts'
import { createSeedCapture } from './seats/captureSeeds.ts'
import { createSeating } from './seats/seating.ts'
import { createEnvironments, type Environments } from './secrets/environments.ts'
import { type GiveEnvironmentDeps, giveEnvironment } from './secrets/giveEnvironment.ts'
import { createVault } from './secrets/vault.ts'
import { type Credit, createCredit } from './settlement/credit.ts'
import { createSettlementQueue, type SettlementQueue } from './settlement/settlementQueue.ts'
import { createPosted, type Posted } from './walk/posted.ts'
import { createRuns } from './walk/runs.ts'
import type { WalkDeps } from './walk/walk.ts'
import { createEquivocations, type Equivocations } from './workers/equivocations.ts'
import { createWorkerHub, type WorkerHub, type WorkerHubDeps } from './workers/workerHub.ts'

/** The parts of a gateway that live as long as it does. */
export type Parts = Awaited<ReturnType<typeof createParts>>

/** Makes the parts and joins them where they meet. Nothing runs yet. `origins`: where workers find this gateway, once it listens. */
export async function createParts(deps: GatewayDeps, origins: () => readonly string[], signal: AbortSignal) {
  const { log, database, chain, signing, settings } = deps
  const signer = createDigestSigner(deps.gatewayKey, signing)
  const { suite } = deps
  const domain: ProtocolDomain = { chainId: deps.chainId, coordinator: suite.coordinator }
  const nowSeconds = () => Math.floor(Date.now() / 1_000)
  const posted = createPosted()
  const late: Late = {}
  const hub = createHub(deps, { posted, signer, domain, nowSeconds, origins, late })
  const environments = createSecrets(deps)
  const equivocations = await createEquivocations({ database, signing, domain, log, ban: hub.ban })
  late.equivocations = equivocations
  const credit = createCredit({ chain, requester: signer.address })
  const settlement = createSettlement(deps, { signer, domain, credit, hub })
  const recorder = createRecorder({ database, log, onStored: settlement.kick })
  late.recorder = recorder
  const requester = createRequester(deps, { requester: signer.address, nowSeconds })
  const sources = [deps.store, ...(deps.sources ?? [])]
  const registry = await createFunctionRegistry({
    database,
    chain,
    sources,
    log,
    cursorName: `${deps.chainId}:${suite.functions.toLowerCase()}`,
    signal,
  })
  const networkTerms = createNetworkTerms({ registry, chain, sources, environments })
  const { seating } = requester
  const running = { postedTicket: posted.ticketOf, seating, networkTerms, nowSeconds }
  late.networkTerms = networkTerms
  late.egress = { ...running, broker: createBroker(deps, { networkTerms, signer, domain }), signal }
  late.environment = { ...running, log, domain, signer }
  const watcher = createChainWatcher({
    chain,
    log,
    pollIntervalMs: settings.pollIntervalMs,
    fromBlock: (await registry.cursor()) ?? settings.deployBlock,
    onEvents: async (events, through) => {
      await registry.apply(events, through)
      for (const event of events) await follow({ hub, credit, posted, standing: requester.standing }, event)
    },
  })
  const { coordinator, escrow } = suite
  const network = { chainId: deps.chainId, token: deps.parameters.token, coordinator, escrow }
  const gate = createPaymentGate({ facilitator: deps.facilitator, network })
  return {
    hub,
    settlement,
    recorder,
    registry,
    watcher,
    ...requester,
    environments,
    networkTerms,
    judgements: createJudgements({ chain, nowSeconds }),
    gate,
    credit,
    posted,
    equivocations,
    signer,
    domain,
    nowSeconds,
  }
}

/** Parts that the hub tells of what it hears, and that need the hub themselves. */
type Late = {
  equivocations?: Equivocations
  recorder?: Recorder
  networkTerms?: NetworkTerms
  egress?: ServeWorkersDeps
  environment?: GiveEnvironmentDeps
}

/** Tickets that name a version of secrets live at most this much longer than their lifetime: they may be renewed. */
const renewalMs = 120_000

function createSecrets({ database, log, parameters, secretsKeys = [] }: GatewayDeps): Environments {
  const [current, ...former] = secretsKeys
  return createEnvironments({
    database,
    log,
    vault: current && createVault([current, ...former]),
    now: Date.now,
    keepEndedMs: parameters.times.maximumTicketLifetime * 1_000 + renewalMs,
  })
}

/** The way out of functions. */
function createBroker(
  { database, log, egressNetwork: network = publicNetwork }: GatewayDeps,
  { networkTerms, signer, domain }: { networkTerms: NetworkTerms; signer: DigestSigner; domain: ProtocolDomain },
): EgressBroker {
  const { accessOf, secretsFor } = networkTerms
  return createEgressBroker({ database, domain, signer, log, network, accessOf, secretsFor, now: Date.now })
}

function createHub(
  { log, chain, signing, database }: GatewayDeps,
  own: { posted: Posted; late: Late } & Pick<WorkerHubDeps, 'domain' | 'nowSeconds' | 'origins' | 'signer'>,
): WorkerHub {
  const { posted, late, ...given } = own
  return createWorkerHub({
    log,
    chain,
    signing,
    ...given,
    inputFor: async (operator, requestId) => {
      const { recorder, networkTerms } = late
      return (
        recorder && networkTerms && inputFor({ posted, recorder, networkTerms, database, chain }, operator, requestId)
      )
    },
    egress: async (link, message, ticket) => {
      if (!late.egress) throw new PeerHostError('shutting_down', 'The gateway is not ready yet.')
      return serveWorker(late.egress, link, message, ticket)
    },
    environment: async (link, message, ticket) => {
      if (!late.environment) throw new PeerHostError('shutting_down', 'The gateway is not ready yet.')
      return giveEnvironment(late.environment, link, message, ticket)
    },
    onUnaskedCommitment: (link, message) => posted.emit(message.requestId, { type: 'committed', link, message }),
    onUnasked: (link, message) => {
      posted.emit(message.requestId, { type: 'attested', link, message })
      late.equivocations
        ?.noteUnasked(link.executionKey, message)
        .catch((error: unknown) => log.warn({ err: error }, 'late result'))
    },
  })
}

/** What the gateway is on chain: its numbers, its standing, and the seats of what it asks for. */
function createRequester(
  { chain, database, log, parameters }: GatewayDeps,
  { requester, nowSeconds }: { requester: Address; nowSeconds: () => number },
) {
  const { epochSeconds, maximumTicketLifetime } = parameters.times
  const seating = createSeating({ chain })
  const seeds = createSeedCapture({ chain, log, epochSeconds, nowSeconds })
  return {
    seating,
    seeds,
    standing: createRequesterStanding({
      chain,
      seating,
      requester,
      windowMs: timing.queueMs,
      onUnseeded: seeds.want,
    }),
    sequences: createSequences({ database, requester, longestLifetimeSeconds: maximumTicketLifetime }),
  }
}

function createSettlement(
  { database, chain, signing, log, parameters }: GatewayDeps,
  { signer, domain, credit, hub }: { signer: DigestSigner; domain: ProtocolDomain; credit: Credit; hub: WorkerHub },
): SettlementQueue {
  return createSettlementQueue({
    database,
    chain,
    domain,
    requester: signer.address,
    signer,
    signing,
    credit,
    log,
    links: hub.links,
    batchItems: LIMITS.settlementBatchItems,
    rollTimeoutMs: timing.rollTimeoutMs,
    settlementGraceSeconds: parameters.times.settlementGrace,
    onSettled: (transaction, requests) => {
      for (const link of hub.links()) {
        const isOf = ({ executionKey }: { executionKey: string }) => executionKey === link.executionKey
        const own = requests.filter(({ attestations }) => attestations.some(isOf))
        const requestIds = own.map(({ requestId }) => requestId)
        if (own.length > 0) link.send({ type: 'settled', transaction, requestIds })
      }
    },
  })
}

/** What the walk needs of the parts. */
export function createWalkDeps(
  deps: GatewayDeps,
  parts: Parts,
  functionUrl: ReturnType<typeof functionUrls>,
): WalkDeps {
  const { database, settings, parameters } = deps
  const { credit, hub, settlement, watcher } = parts
  return {
    ...timing,
    ...parts,
    log: deps.log,
    database,
    chain: deps.chain,
    signing: deps.signing,
    network: { name: `eip155:${deps.chainId}`, asset: parameters.token.address },
    headBlock: () => watcher.head().number,
    headSeconds: () => watcher.head().timestampSeconds,
    times: parameters.times,
    epochSeconds: parameters.times.epochSeconds,
    escrow: deps.suite.escrow,
    requester: parts.signer.address,
    urlDomain: settings.domain,
    functionUrl,
    workers: hub,
    maySign: hub.maySign,
    noteAttestation: ({ attested }) => parts.equivocations.note(attested),
    runs: createRuns(),
    onSettleable: settlement.kick,
    onPosting: async (job, payment) => {
      if (!payment) await insertDraft(database, job)
    },
    onPosted: async (job, transaction) => {
      credit.release(job.requestId)
      if (transaction) await setPosted(database, job.requestId, transaction)
    },
    onConflict: (job, first, second) => {
      const conflict = conflictOf(job, first, second)
      deps.log.error({ requestId: job.requestId, operators: conflict.operators }, 'results contradict each other')
      keepConflict({ database, times: parameters.times }, job, conflict).catch((error: unknown) =>
        deps.log.error({ err: error, requestId: job.requestId }, 'a conflict could not be kept'),
      )
    },
  }
}

async function follow(
  { hub, credit, posted, standing }: { hub: WorkerHub; credit: Credit; posted: Posted; standing: RequesterStanding },
  event: ChainEvent,
): Promise<void> {
  if (event.type === 'settled') posted.emit(event.requestId, { type: 'settled', event })
  else if (event.type === 'agreed') posted.emit(event.requestId, { type: 'agreed', event })
  else if (event.type === 'requester-changed') standing.changed(event.requester)
  else if (event.type === 'operator-changed') await hub.operatorChanged(event.operator)
  else if (event.type === 'credit-changed') credit.changed(event.funder)
}
