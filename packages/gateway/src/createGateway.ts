import { createServer, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { createParts, createWalkDeps, type Parts } from './assemble.ts'
import type { Database } from './database/database.ts'
import { type GatewayDeps, type GatewaySettings, timing } from './gatewayDeps.ts'
import { createApp } from './http/app.ts'
import { createRateLimit, type RateLimit } from './http/rateLimit.ts'
import type { FunctionRegistry } from './registry/functionRegistry.ts'
import { functionUrls } from './registry/functionUrl.ts'
import { choresOf } from './upkeep/chores.ts'
import { startUpkeep } from './upkeep/upkeep.ts'
import { recover } from './walk/resume.ts'
import { type WalkDeps, walk } from './walk/walk.ts'

/** A gateway that serves. `close` drains: what runs is finished, then everything is let go. */
export type Gateway = { url: string; workerUrl: string; close: () => Promise<void> }

/** Puts the parts together, catches up with the chain, takes up what a crash left, and serves. */
export async function createGateway(deps: GatewayDeps): Promise<Gateway> {
  const { log, settings } = deps
  // First nothing new is taken, then, when what runs is done, what runs beside it ends.
  const stopping = new AbortController()
  const ended = new AbortController()
  let origins: readonly string[] = []
  const parts = await createParts(deps, () => origins, ended.signal)
  await parts.watcher.catchUp(ended.signal)
  await parts.settlement.recover()

  const server = createServer({
    maxHeaderSize: 32_768,
    requestTimeout: 60_000,
    headersTimeout: 15_000,
    keepAliveTimeout: 65_000,
  })
  await listen(server, settings)
  const url = localUrl(server, settings)
  const rateLimit = createRateLimit({ perMinute: settings.rateLimitPerMinute, nowMs: Date.now })
  const publicUrl = settings.publicUrl ?? url
  const workerUrl = `${publicUrl.replace(/^http/, 'ws').replace(/\/$/, '')}/v1/worker`
  origins = [new URL(workerUrl).origin, ...(settings.workerOrigins ?? [])]
  const walkDeps = createWalkDeps(deps, parts, functionUrls({ publicUrl, domain: settings.domain }))
  server.on(
    'request',
    createApp(appDeps(deps, parts, walkDeps, { publicUrl, workerUrl, stopping: stopping.signal, rateLimit })),
  )
  server.on('upgrade', (request, socket, head) => {
    const path = (request.url ?? '').split('?')[0]
    const isLimited = rateLimit.take(request.socket.remoteAddress ?? '').limited !== undefined
    if (path !== '/v1/worker' || stopping.signal.aborted || isLimited) return refuseUpgrade(socket as Socket)
    parts.hub.server.handleUpgrade(request, socket, head, (ws) => parts.hub.server.emit('connection', ws, request))
  })
  const background = [
    parts.watcher.follow(ended.signal),
    startUpkeep({ chores: chores(deps, parts, walkDeps), log, signal: ended.signal }),
  ]
  const recovered = await recover(walkDeps)
  parts.settlement.kick()
  log.info({ url, publicUrl, recovering: recovered.length }, 'gateway serves')
  return {
    url,
    workerUrl,
    close: once(() => close({ parts, server, walkDeps, background, stopping, ended, database: deps.database })),
  }
}

function chores(deps: GatewayDeps, parts: Parts, walk: WalkDeps) {
  const { database, chain, log, parameters, settings } = deps
  return choresOf({
    database,
    chain,
    walk,
    log,
    parameters,
    seeds: parts.seeds,
    environments: parts.environments,
    soonMs: timing.reconcileMs,
    bond: settings.requesterBond ?? 'auto',
    collectFeesAbove: settings.collectFeesAbove,
  })
}

function appDeps(
  deps: GatewayDeps,
  parts: Parts,
  walkDeps: WalkDeps,
  urls: { publicUrl: string; workerUrl: string; stopping: AbortSignal; rateLimit: RateLimit },
) {
  const { settings, suite } = deps
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
    environments: parts.environments,
    requester: parts.signer.address,
    facilitator: deps.facilitator,
    asset,
    isPayee: (address: string) => settings.openFacilitator || isPayee(parts.registry, address),
    registry: parts.registry,
    judgements: parts.judgements,
    functionUrl: walkDeps.functionUrl,
    info: {
      chainId: deps.chainId,
      networkName: deps.networkName,
      coordinator: suite.coordinator,
      registry: suite.functions,
      contracts: {
        parameters: suite.parameters,
        operators: suite.operators,
        confirmedLane: suite.confirmedLane,
        escrow: suite.escrow,
        court: suite.court,
      },
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
    rateLimit: urls.rateLimit,
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

async function close(running: {
  parts: Parts
  server: Server
  walkDeps: WalkDeps
  background: readonly Promise<void>[]
  stopping: AbortController
  ended: AbortController
  database: Database
}): Promise<void> {
  const { parts, server, walkDeps, background, stopping, ended, database } = running
  stopping.abort()
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // Connections become idle one by one, as their answers are sent.
  const idle = setInterval(() => server.closeIdleConnections(), 50)
  await Promise.race([Promise.all([closed, walkDeps.runs.idle()]), pause(timing.drainMs)])
  clearInterval(idle)
  server.closeAllConnections()
  ended.abort()
  await parts.recorder.flush()
  await parts.settlement.close()
  await parts.hub.close()
  // A transaction that is not mined must not hold the process up: every chore finds out later what it left.
  await Promise.race([Promise.all(background), pause(timing.drainMs)])
  await parts.registry.idle()
  await parts.sequences.close()
  await database.close()
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
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
