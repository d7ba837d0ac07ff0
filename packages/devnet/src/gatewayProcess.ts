import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bytesToHex } from 'viem'
import type { DevnetAccounts } from './accounts.ts'
import type { DevnetChain } from './chain.ts'
import type { DevnetAddresses } from './contracts.ts'
import { type ManagedProcess, startManagedProcess } from './managedProcess.ts'

/** What every process of a devnet is told about it. */
export type DevnetNetwork = {
  directory: string
  chain: DevnetChain
  addresses: DevnetAddresses
  accounts: DevnetAccounts
}

/** A running gateway. Started again on the same port it has the same URLs and continues from its database. */
export type GatewayProcess = ManagedProcess & { ready: { url: string; workerUrl: string } }

/** Starts `@peerhost/gateway` as a child and waits until it serves. */
export function startGateway(network: DevnetNetwork, port: number, signal?: AbortSignal): Promise<GatewayProcess> {
  const { accounts, directory } = network
  return startManagedProcess({
    name: 'gateway',
    entry: 'launch',
    args: ['@peerhost/gateway/main'],
    logFile: join(directory, 'gateway.log'),
    env: {
      ...chainEnvironment(network),
      PEERHOST_GATEWAY_KEY: accounts.gateway.privateKey,
      PEERHOST_FACILITATOR_KEY: accounts.facilitator.privateKey,
      PEERHOST_HOST: '127.0.0.1',
      PEERHOST_PORT: String(port),
      PEERHOST_DOMAIN: 'localhost',
      PEERHOST_PUBLIC_URL: `http://127.0.0.1:${port}`,
      // What clients are told: HTTP keeps none of their processes alive.
      PEERHOST_PUBLIC_RPC_URL: network.chain.rpcUrl,
      PEERHOST_DATA_DIR: join(directory, 'gateway'),
      PEERHOST_SECRETS_KEY: secretsKey(join(directory, 'secrets.key')),
    },
    parseReady: (message) => {
      const { type, url, workerUrl } = (message ?? {}) as Record<string, unknown>
      return type === 'ready' && typeof url === 'string' && typeof workerUrl === 'string'
        ? { url, workerUrl }
        : undefined
    },
    readyTimeoutMs: 120_000,
    signal,
  })
}

/** The accounts of a devnet are public; what a developer tries out with it may not be. */
function secretsKey(file: string): string {
  if (!existsSync(file)) writeFileSync(file, bytesToHex(randomBytes(32)), { mode: 0o600 })
  return readFileSync(file, 'utf8')
}

/** The chain as environment variables that gateway and worker share. */
export function chainEnvironment({ chain, addresses }: DevnetNetwork): Record<string, string> {
  return {
    PEERHOST_RPC_URL: chain.webSocketUrl,
    PEERHOST_CHAIN_ID: String(chain.id),
    PEERHOST_COORDINATOR: addresses.coordinator,
    PEERHOST_REGISTRY: addresses.registry,
    PEERHOST_TOKEN: addresses.token,
    PEERHOST_DEPLOY_BLOCK: addresses.deployBlock.toString(),
    PEERHOST_LOG_LEVEL: 'info',
  }
}
