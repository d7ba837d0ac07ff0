import { createDigestSigner, type DigestSigner, LIMITS, type ProtocolDomain } from '@peerhost/protocol'
import type { ChainEvent } from './chain/chain.ts'
import { createChainWatcher } from './chain/chainWatcher.ts'
import { type GatewayDeps, timing } from './gatewayDeps.ts'
import { createPaymentGate } from './payment/x402.ts'
import { createFunctionRegistry } from './registry/functionRegistry.ts'
import type { functionUrls } from './registry/functionUrl.ts'
import { createRecorder } from './requests/recorder.ts'
import { insertDraft, setPosted } from './requests/requestTable.ts'
import { createSequences } from './requests/sequences.ts'
import { type Credit, createCredit } from './settlement/credit.ts'
import { createSettlementQueue, type SettlementQueue } from './settlement/settlementQueue.ts'
import { createPosted, type Posted } from './walk/posted.ts'
import { createRuns } from './walk/runs.ts'
import type { WalkDeps } from './walk/walk.ts'
import { createEquivocations, type Equivocations } from './workers/equivocations.ts'
import { createWorkerHub, type WorkerHub } from './workers/workerHub.ts'

/** The parts of a gateway that live as long as it does. */
export type Parts = Awaited<ReturnType<typeof createParts>>

/** Makes the parts and joins them where they meet. Nothing runs yet. */
export async function createParts(deps: GatewayDeps, signal: AbortSignal) {
  const { log, database, chain, signing, settings } = deps
  const signer = createDigestSigner(deps.gatewayKey, signing)
  const domain: ProtocolDomain = { chainId: deps.chainId, coordinator: deps.addresses.coordinator }
  const nowSeconds = () => Math.floor(Date.now() / 1_000)
  const posted = createPosted()
  const late: { equivocations?: Equivocations } = {}
  const hub = createWorkerHub({
    log,
    chain,
    signing,
    domain,
    gateway: signer.address,
    nowSeconds,
    inputOf: posted.inputOf,
    onUnasked: (link, message) => {
      posted.emit(message.requestId, { type: 'attested', link, message })
      late.equivocations
        ?.noteUnasked(link.executionKey, message)
        .catch((error: unknown) => log.warn({ err: error }, 'late result'))
    },
  })
  const equivocations = await createEquivocations({ database, signing, domain, log, ban: hub.ban })
  late.equivocations = equivocations
  const credit = createCredit({ chain, requester: signer.address })
  const settlement = createSettlement(deps, { signer, domain, credit, hub })
  const recorder = createRecorder({ database, log, onStored: settlement.kick })
  const registry = await createFunctionRegistry({
    database,
    chain,
    sources: [deps.store, ...(deps.sources ?? [])],
    log,
    cursorName: `${deps.chainId}:${deps.addresses.registry.toLowerCase()}`,
    signal,
  })
  const watcher = createChainWatcher({
    chain,
    log,
    pollIntervalMs: settings.pollIntervalMs,
    fromBlock: (await registry.cursor()) ?? settings.deployBlock,
    onEvents: async (events, through) => {
      await registry.apply(events, through)
      for (const event of events) await follow({ hub, credit, posted }, event)
    },
  })
  const sequences = createSequences({ database, requester: signer.address })
  const network = { chainId: deps.chainId, token: deps.parameters.token }
  const gate = createPaymentGate({ facilitator: deps.facilitator, network })
  return {
    hub,
    settlement,
    recorder,
    registry,
    watcher,
    sequences,
    gate,
    credit,
    posted,
    equivocations,
    signer,
    domain,
    nowSeconds,
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
    settlementGraceSeconds: parameters.settlementGraceSeconds,
    onSettled: (transaction, requests) => {
      for (const link of hub.links()) {
        const own = requests.filter(({ attested }) => attested?.executionKey === link.executionKey)
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
    epochSeconds: parameters.epochSeconds,
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
      await setPosted(database, job.requestId, transaction)
    },
  }
}

async function follow(
  { hub, credit, posted }: { hub: WorkerHub; credit: Credit; posted: Posted },
  event: ChainEvent,
): Promise<void> {
  if (event.type === 'settled') posted.emit(event.requestId, { type: 'settled', event })
  else if (event.type === 'operator-changed') await hub.operatorChanged(event.operator)
  else if (event.type === 'credit-changed') credit.changed(event.funder)
}
