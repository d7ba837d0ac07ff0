import { createServer, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { createDigestSigner, LIMITS, type ProtocolDomain, type Signing } from '@peerhost/protocol'
import type { BlockSource, BlockStore } from '@peerhost/storage'
import type { Logger } from 'pino'
import type { Address, Hex } from 'viem'
import type { Chain, ChainEvent, ChainParameters } from './chain/chain.ts'
import { type ChainWatcher, createChainWatcher } from './chain/chainWatcher.ts'
import type { Database } from './database/database.ts'
import { createApp } from './http/app.ts'
import { createRateLimit } from './http/rateLimit.ts'
import { createPaymentGate, type Facilitator } from './payment/x402.ts'
import { createFunctionRegistry, type FunctionRegistry } from './registry/functionRegistry.ts'
import { functionUrls } from './registry/functionUrl.ts'
import { createRecorder } from './requests/recorder.ts'
import { insertDraft, setPosted } from './requests/requestTable.ts'
import { createSequences } from './requests/sequences.ts'
import { createCredit } from './settlement/credit.ts'
import { createSettlementQueue } from './settlement/settlementQueue.ts'
import { startUpkeep } from './upkeep.ts'
import { createPosted } from './walk/posted.ts'
import { recover } from './walk/resume.ts'
import { createRuns } from './walk/runs.ts'
import { type WalkDeps, walk } from './walk/walk.ts'
import { createEquivocations, type Equivocations } from './workers/equivocations.ts'
import { createWorkerHub, type WorkerHub } from './workers/workerHub.ts'

export type GatewayDeps = {
  log: Logger
  database: Database
  chain: Chain
  parameters: ChainParameters
  addresses: { coordinator: Address; registry: Address }
  chainId: number
  networkName: string
  /** Signs tickets and hellos; the sender of `chain` is the same key. */
  gatewayKey: Hex
  signing: Signing
  facilitator: Facilitator
  /** Where the blocks of this gateway are kept and served from. */
  store: BlockStore
  /** Where metadata is looked for besides. */
  sources?: readonly BlockSource[] | undefined
  settings: GatewaySettings
}

export type GatewaySettings = {
  host: string
  port: number
  /** Wallets are subdomains of it. */
  domain?: string | undefined
  /** Default: where it listens. */
  publicUrl?: string | undefined
  publicRpcUrl?: string | undefined
  deployBlock: bigint
  pollIntervalMs: number
  rateLimitPerMinute: number
  trustedProxies: number
  mayUpload?: ((address: Address) => boolean) | undefined
  /** Anyone's payments are settled by `/x402/settle`, not only those of functions here. */
  openFacilitator: boolean
}

/** A gateway that serves. `close` drains: what runs is finished, then everything is let go. */
export type Gateway = { url: string; workerUrl: string; close: () => Promise<void> }

const timing = {
  dispatchGraceMs: 15_000,
  queueMs: 10_000,
  connectMs: 2_000,
  confirmGraceMs: 30_000,
  settleTimeoutMs: 30_000,
  elsewhereMs: 10_000,
  bodyTimeoutMs: 30_000,
  rollTimeoutMs: 300,
  reconcileMs: 2_000,
  drainMs: 20_000,
}

/** Puts the parts together, catches up with the chain, takes up what a crash left, and serves. */
export async function createGateway(deps: GatewayDeps): Promise<Gateway> {
  const { log, database, settings } = deps
  const stopping = new AbortController()
  const parts = await createParts(deps, stopping.signal)
  await parts.watcher.catchUp(stopping.signal)
  await parts.settlement.recover()

  const server = createServer({
    maxHeaderSize: 32_768,
    requestTimeout: 60_000,
    headersTimeout: 15_000,
    keepAliveTimeout: 65_000,
  })
  await listen(server, settings)
  const url = localUrl(server, settings)
  const publicUrl = settings.publicUrl ?? url
  const workerUrl = `${publicUrl.replace(/^http/, 'ws').replace(/\/$/, '')}/v1/worker`
  const walkDeps = parts.walkDeps(functionUrls({ publicUrl, domain: settings.domain }))
  server.on('request', createApp(appDeps(deps, parts, walkDeps, { publicUrl, workerUrl, stopping: stopping.signal })))
  server.on('upgrade', (request, socket, head) => {
    const path = (request.url ?? '').split('?')[0]
    if (path !== '/v1/worker' || stopping.signal.aborted) return refuseUpgrade(socket as Socket)
    parts.hub.server.handleUpgrade(request, socket, head, (ws) => parts.hub.server.emit('connection', ws, request))
  })
  const background = [
    parts.watcher.follow(stopping.signal),
    startUpkeep({
      database,
      chain: deps.chain,
      walk: walkDeps,
      log,
      reconcileMs: timing.reconcileMs,
      settlementGraceSeconds: deps.parameters.settlementGraceSeconds,
      signal: stopping.signal,
    }),
  ]
  const recovered = await recover(walkDeps)
  parts.settlement.kick()
  log.info({ url, publicUrl, recovering: recovered.length }, 'gateway serves')
  return { url, workerUrl, close: once(() => close(parts, server, walkDeps, background, stopping, database)) }
}

type Parts = Awaited<ReturnType<typeof createParts>>

async function createParts(deps: GatewayDeps, signal: AbortSignal) {
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
  const settlement = createSettlementQueue({
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
    settlementGraceSeconds: deps.parameters.settlementGraceSeconds,
    onSettled: (transaction, requests) => {
      for (const link of hub.links()) {
        const own = requests.filter(({ attested }) => attested?.executionKey === link.executionKey)
        if (own.length > 0)
          link.send({ type: 'settled', transaction, requestIds: own.map(({ requestId }) => requestId) })
      }
    },
  })
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
  const gate = createPaymentGate({
    facilitator: deps.facilitator,
    network: { chainId: deps.chainId, token: deps.parameters.token },
  })
  const walkDeps = (functionUrl: ReturnType<typeof functionUrls>): WalkDeps => ({
    ...timing,
    log,
    database,
    chain,
    signing,
    signer,
    domain,
    network: { name: `eip155:${deps.chainId}`, asset: deps.parameters.token.address },
    nowSeconds,
    headBlock: () => watcher.head().number,
    headSeconds: () => watcher.head().timestampSeconds,
    epochSeconds: deps.parameters.epochSeconds,
    registry,
    urlDomain: settings.domain,
    functionUrl,
    gate,
    sequences,
    credit,
    recorder,
    workers: hub,
    maySign: hub.maySign,
    noteAttestation: ({ attested }) => equivocations.note(attested),
    posted,
    runs: createRuns(),
    onSettleable: settlement.kick,
    onPosting: async (job, payment) => {
      if (!payment) await insertDraft(database, job)
    },
    onPosted: async (job, transaction) => {
      credit.release(job.requestId)
      await setPosted(database, job.requestId, transaction)
    },
  })
  return { hub, settlement, recorder, registry, watcher, sequences, gate, credit, walkDeps, signer, domain, nowSeconds }
}

async function follow(
  {
    hub,
    credit,
    posted,
  }: { hub: WorkerHub; credit: ReturnType<typeof createCredit>; posted: ReturnType<typeof createPosted> },
  event: ChainEvent,
): Promise<void> {
  if (event.type === 'settled') posted.emit(event.requestId, { type: 'settled', event })
  else if (event.type === 'operator-changed') await hub.operatorChanged(event.operator)
  else if (event.type === 'credit-changed') credit.changed(event.funder)
}

function appDeps(
  deps: GatewayDeps,
  parts: Parts,
  walkDeps: WalkDeps,
  urls: { publicUrl: string; workerUrl: string; stopping: AbortSignal },
) {
  const { settings } = deps
  const { publicUrl } = urls
  const asset = deps.parameters.token.address
  return {
    log: deps.log,
    walk: (incoming: Parameters<typeof walk>[1]) => walk(walkDeps, incoming),
    gate: parts.gate,
    bodyTimeoutMs: timing.bodyTimeoutMs,
    store: deps.store,
    signing: deps.signing,
    protocolDomain: parts.domain,
    nowSeconds: parts.nowSeconds,
    mayUpload: settings.mayUpload,
    facilitator: deps.facilitator,
    asset,
    isPayee: (address: string) => settings.openFacilitator || isPayee(parts.registry, address),
    registry: parts.registry,
    functionUrl: walkDeps.functionUrl,
    info: {
      chainId: deps.chainId,
      networkName: deps.networkName,
      ...deps.addresses,
      token: deps.parameters.token,
      requester: parts.signer.address,
      gatewayUrl: publicUrl,
      workerUrl: urls.workerUrl,
      x402: { facilitatorUrl: `${publicUrl}/x402`, networks: parts.gate.networks },
      ...(settings.publicRpcUrl === undefined ? {} : { rpcUrl: settings.publicRpcUrl }),
    },
    workers: parts.hub,
    database: deps.database,
    headAgeMs: parts.watcher.headAgeMs,
    recorder: parts.recorder,
    receipts: walkDeps,
    domain: settings.domain,
    rateLimit: createRateLimit({ perMinute: settings.rateLimitPerMinute, nowMs: Date.now }),
    trustedProxies: settings.trustedProxies,
    isStopping: () => urls.stopping.aborted,
  }
}

function isPayee(registry: FunctionRegistry, address: string): boolean {
  const wanted = address.toLowerCase()
  for (const { state } of registry.list())
    if (state.payee.toLowerCase() === wanted || state.owner.toLowerCase() === wanted) return true
  return false
}

async function close(
  parts: Parts,
  server: Server,
  walkDeps: WalkDeps,
  background: readonly Promise<void>[],
  stopping: AbortController,
  database: Database,
): Promise<void> {
  stopping.abort()
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  await Promise.race([
    Promise.all([closed, walkDeps.runs.idle()]),
    new Promise((resolve) => setTimeout(resolve, timing.drainMs).unref()),
  ])
  server.closeAllConnections()
  await parts.recorder.flush()
  await parts.settlement.close()
  await parts.hub.close()
  await Promise.all(background)
  await parts.registry.idle()
  await parts.sequences.close()
  await database.close()
}

async function listen(server: Server, { host, port }: GatewaySettings): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function localUrl(server: Server, { host }: GatewaySettings): string {
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

function refuseUpgrade(socket: Socket): void {
  socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => {
    running ??= work()
    return running
  }
}
