import type { Signing } from '@peerhost/protocol'
import type { BlockSource, BlockStore } from '@peerhost/storage'
import type { Logger } from 'pino'
import type { Address, Hex } from 'viem'
import type { Chain, ChainParameters } from './chain/chain.ts'
import type { Suite } from './chain/suite.ts'
import type { Database } from './database/database.ts'
import type { EgressNetwork } from './egress/egressNetwork.ts'
import type { Facilitator } from './payment/x402.ts'

/** Everything that a gateway is made of and does not make itself. */
export type GatewayDeps = {
  log: Logger
  database: Database
  chain: Chain
  parameters: ChainParameters
  suite: Suite
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
  /** How functions' outgoing calls leave. Default: the public internet. */
  egressNetwork?: EgressNetwork | undefined
  /** What secrets are sealed with at rest, the key that seals first. None: this gateway keeps no secrets. */
  secretsKeys?: readonly Uint8Array[] | undefined
  settings: GatewaySettings
}

export type GatewaySettings = {
  host: string
  port: number
  /** Wallets are subdomains of it. */
  domain?: string | undefined
  /** Default: where it listens. */
  publicUrl?: string | undefined
  /** Origins that workers dial besides the public URL's: `ws://10.0.0.7:8080`. */
  workerOrigins?: readonly string[] | undefined
  publicRpcUrl?: string | undefined
  deployBlock: bigint
  pollIntervalMs: number
  rateLimitPerMinute: number
  trustedProxies: number
  mayUpload?: ((address: Address) => boolean) | undefined
  /** Anyone's payments are settled by `/x402/settle`, not only those of functions here. */
  openFacilitator: boolean
  /** What this gateway bonds as a requester, in atomic units; `auto` (the default) is what the protocol asks for, 0 nothing. */
  requesterBond?: bigint | 'auto' | undefined
  /** Protocol fees from which on collecting them is worth the gas. Default: never. */
  collectFeesAbove?: bigint | undefined
}

/** How long the gateway waits for what, in milliseconds. */
export const timing = {
  dispatchGraceMs: 15_000,
  queueMs: 10_000,
  connectMs: 2_000,
  openGraceMs: 2_000,
  lingerMs: 250,
  confirmGraceMs: 30_000,
  settleTimeoutMs: 30_000,
  elsewhereMs: 10_000,
  bodyTimeoutMs: 30_000,
  rollTimeoutMs: 300,
  reconcileMs: 2_000,
  drainMs: 20_000,
}
