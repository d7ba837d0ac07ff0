import { pureSigning } from '@peerhost/protocol'
import { nativeSigning } from '@peerhost/protocol/native'
import type { BlockStore } from '@peerhost/storage'
import { blockCid } from '@peerhost/storage'
import { type Logger, pino } from 'pino'
import { createPublicClient, http } from 'viem'
import { facilitatorChain } from '../src/chain/facilitatorChain.ts'
import { createSender } from '../src/chain/sender.ts'
import { readChainParameters, readSuite } from '../src/chain/suite.ts'
import { createViemChain } from '../src/chain/viemChain.ts'
import { createGateway } from '../src/createGateway.ts'
import type { Database } from '../src/database/database.ts'
import { openPglite } from '../src/database/pglite.ts'
import type { EgressNetwork } from '../src/egress/egressNetwork.ts'
import type { GatewaySettings } from '../src/gatewayDeps.ts'
import { createFacilitator, type Facilitator } from '../src/payment/x402.ts'
import { chain, type Keyed, newKey, type TestNetwork } from './fixture.ts'

/** A store in memory: nothing of the gateway depends on where blocks are. */
export function memoryStore(): BlockStore {
  const blocks = new Map<string, Uint8Array>()
  return {
    name: 'memory',
    get: async (cid) => blocks.get(cid),
    put: async (bytes) => {
      const cid = blockCid(bytes)
      blocks.set(cid, bytes)
      return cid
    },
  }
}

export type TestGatewayOptions = {
  network: TestNetwork
  gatewayKey?: Keyed
  facilitatorKey?: Keyed
  database?: Database
  store?: BlockStore
  settings?: Partial<GatewaySettings>
  egressNetwork?: EgressNetwork
  secretsKeys?: readonly Uint8Array[]
  log?: Logger
  wrapFacilitator?: (facilitator: Facilitator) => Facilitator
}

export type TestGateway = Awaited<ReturnType<typeof startTestGateway>>

/** A gateway in this process, on the real chain of the tests. */
export async function startTestGateway(options: TestGatewayOptions) {
  const { network } = options
  const gatewayKey = options.gatewayKey ?? newKey()
  const facilitatorKey = options.facilitatorKey ?? newKey()
  if (!options.gatewayKey) await network.rich(gatewayKey.account)
  if (!options.facilitatorKey) await network.rich(facilitatorKey.account)
  const transport = http(network.rpcUrl)
  const client = createPublicClient({ chain, transport, pollingInterval: 50 })
  const sender = createSender({ client, account: gatewayKey.account, transport })
  const facilitatorSender = createSender({ client, account: facilitatorKey.account, transport })
  const facilitator = createFacilitator({
    chainId: chain.id,
    chain: facilitatorChain(client, facilitatorSender),
    confirmationTimeoutMs: 10_000,
  })
  const suite = await readSuite(client, network.addresses.coordinator)
  const database = options.database ?? (await openPglite())
  const store = options.store ?? memoryStore()
  const gateway = await createGateway({
    log: options.log ?? pino({ level: process.env.TEST_LOG ?? 'silent' }),
    egressNetwork: options.egressNetwork,
    secretsKeys: options.secretsKeys,
    database,
    chain: createViemChain({ client, suite, sender, escrowSender: facilitatorSender, receiptTimeoutMs: 20_000 }),
    parameters: await readChainParameters(client, suite),
    suite,
    chainId: chain.id,
    networkName: 'base-sepolia',
    gatewayKey: gatewayKey.key,
    signing: process.env.TEST_PURE_SIGNING ? pureSigning : nativeSigning,
    facilitator: options.wrapFacilitator?.(facilitator) ?? facilitator,
    store,
    settings: {
      host: '127.0.0.1',
      port: 0,
      domain: 'peerhost.test',
      deployBlock: network.deployBlock,
      pollIntervalMs: 50,
      rateLimitPerMinute: 0,
      trustedProxies: 0,
      openFacilitator: false,
      ...options.settings,
    },
  })
  return { ...gateway, gatewayKey, facilitatorKey, database, store, requester: gatewayKey.account.address }
}
