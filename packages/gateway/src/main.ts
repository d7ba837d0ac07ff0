#!/usr/bin/env node

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isPeerHostError, PeerHostError } from '@peerhost/protocol'
import { nativeSigning } from '@peerhost/protocol/native'
import { createDiskStore, createHttpSource } from '@peerhost/storage'
import { type Logger, pino } from 'pino'
import { type Chain, createPublicClient, defineChain, http, type PublicClient, type Transport, webSocket } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import { facilitatorChain } from './chain/facilitatorChain.ts'
import { createSender, type Sender } from './chain/sender.ts'
import { readChainParameters, readSuite, type Suite } from './chain/suite.ts'
import { createViemChain } from './chain/viemChain.ts'
import { type Config, readConfig } from './config.ts'
import { createGateway, type Gateway } from './createGateway.ts'
import { openPglite } from './database/pglite.ts'
import { openPostgres } from './database/postgres.ts'
import { dangerousNetwork, type EgressNetwork, publicNetwork } from './egress/egressNetwork.ts'
import { networkName } from './networkName.ts'
import { createFacilitator, createRemoteFacilitator, type Facilitator } from './payment/x402.ts'

const receiptTimeoutMs = 60_000
const confirmationTimeoutMs = 25_000

async function main(): Promise<void> {
  const config = readConfig(process.env)
  const log = pino({ level: config.logLevel, base: { service: 'gateway' } })
  const gateway = await start(config, log)
  let isStopping = false
  const stop = (reason: string) => {
    if (isStopping) return
    isStopping = true
    log.info({ reason }, 'stopping')
    gateway.close().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ err: error }, 'could not stop in order')
        process.exit(1)
      },
    )
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled rejection'))
  process.send?.({ type: 'ready', url: gateway.url, workerUrl: gateway.workerUrl })
}

async function start(config: Config, log: Logger): Promise<Gateway> {
  const chain: Chain = defineChain({
    id: config.chainId,
    name: networkName(config.chainId),
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [] } },
  })
  const transport = config.rpcUrl.startsWith('ws')
    ? webSocket(config.rpcUrl, { reconnect: { attempts: 1_000_000, delay: 500 }, timeout: 20_000 })
    : http(config.rpcUrl, { timeout: 20_000 })
  const client = createPublicClient({ chain, transport, pollingInterval: Math.min(config.pollIntervalMs, 1_000) })
  const actual = await client.getChainId()
  if (actual !== config.chainId)
    throw new PeerHostError('config_invalid', 'The RPC is of another chain.', {
      details: [`PEERHOST_CHAIN_ID: ${config.chainId}`, `The RPC says: ${actual}`],
    })
  await mkdir(config.dataDirectory, { recursive: true })
  const suite = await readSuite(client, config.coordinator)
  assertSame(config, suite)
  const sender = createSender({ client, account: privateKeyToAccount(config.gatewayKey), transport })
  const escrowSender =
    config.facilitatorKey && createSender({ client, account: privateKeyToAccount(config.facilitatorKey), transport })
  const database = config.databaseUrl
    ? await openPostgres({ url: config.databaseUrl, onError: (err) => log.error({ err }, 'database') })
    : await openPglite({ directory: join(config.dataDirectory, 'database') })
  return createGateway({
    log,
    database,
    chain: createViemChain({ client, suite, sender, escrowSender, receiptTimeoutMs }),
    parameters: await readChainParameters(client, suite),
    suite,
    chainId: config.chainId,
    networkName: chain.name,
    gatewayKey: config.gatewayKey,
    signing: nativeSigning,
    facilitator: openFacilitator(config, client, escrowSender),
    store: createDiskStore({ directory: join(config.dataDirectory, 'blocks') }),
    sources: config.blockSources.map((url) => createHttpSource({ url })),
    egressNetwork: egressNetworkOf(config, log),
    secretsKeys: config.secretsKeys,
    settings: config,
  })
}

function egressNetworkOf({ dangerousHosts }: Config, log: Logger): EgressNetwork {
  if (!dangerousHosts) return publicNetwork
  log.warn(
    { hosts: [...dangerousHosts.keys()] },
    'PEERHOST_EGRESS_DANGEROUS_HOSTS lets functions reach these addresses',
  )
  return dangerousNetwork(dangerousHosts)
}

/** What is set by hand must be what the coordinator says. */
function assertSame(config: Config, suite: Suite): void {
  const wrong = [
    ['PEERHOST_REGISTRY', config.registry, suite.functions],
    ['PEERHOST_TOKEN', config.token, suite.token],
  ].filter(([, given, actual]) => given !== undefined && given !== actual)
  if (wrong.length === 0) return
  throw new PeerHostError('config_invalid', 'The coordinator works with other contracts.', {
    details: wrong.map(([name, , actual]) => `${name}: the coordinator says ${actual}`),
  })
}

function openFacilitator(
  config: Config,
  client: PublicClient<Transport, Chain>,
  sender: Sender | undefined,
): Facilitator {
  if (config.facilitatorUrl !== undefined)
    return createRemoteFacilitator({ url: config.facilitatorUrl, timeoutMs: confirmationTimeoutMs })
  if (sender === undefined) throw new PeerHostError('config_invalid', 'There is no facilitator.')
  return createFacilitator({ chainId: config.chainId, chain: facilitatorChain(client, sender), confirmationTimeoutMs })
}

main().catch((error: unknown) => {
  const lines = isPeerHostError(error) ? [`${error.code}: ${error.message}`, ...error.details] : [String(error)]
  process.stderr.write(`${lines.join('\n')}\n`)
  process.exit(1)
})
