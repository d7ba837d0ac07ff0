import { executionCoordinatorAbi, PeerHostError } from '@peerhost/protocol'
import {
  type Account,
  type Address,
  createPublicClient,
  createWalletClient,
  defineChain,
  http,
  type PublicClient,
  type Transport,
  type WalletClient,
  webSocket,
} from 'viem'
import { tokenAbi } from '../chain/tokenAbi.ts'
import type { Connection, Fetch } from '../connection.ts'
import { fetchNetwork, type NetworkInfo } from '../network.ts'

/**
 * Reads the network of a gateway and checks it against the chain: chain id, code at coordinator, registry and token, and
 * that the token is the coordinator's and has the decimals the gateway says, because caps on spending are computed with them.
 *
 * Throws `gateway_unavailable`, `chain_unavailable`, or `config_invalid` when gateway and chain do not belong together.
 *
 * @example
 * import { connect, invoke } from '@peerhost/sdk'
 * const connection = await connect({ gatewayUrl: 'http://localhost:8402' })
 * const response = await invoke(connection, { url: 'http://localhost:8402/0x…/weather/today' })
 */
export async function connect(parameters: connect.Parameters): Promise<connect.ReturnType> {
  const gatewayUrl = gatewayUrlOf(parameters.gatewayUrl)
  const fetch: Fetch = parameters.fetch ?? ((url, init) => globalThis.fetch(url, init))
  const network = await fetchNetwork({ gatewayUrl, fetch }, parameters.signal)
  assertExpected(network, parameters.expect ?? {})
  const rpcUrl = parameters.rpcUrl ?? network.rpcUrl
  if (!parameters.transport && !rpcUrl) {
    throw new PeerHostError('config_invalid', 'The gateway names no RPC of its chain.', {
      hint: `Pass \`rpcUrl\` of a node of chain ${network.chainId} to connect().`,
    })
  }
  const chain = defineChain({
    id: network.chainId,
    name: network.networkName,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: rpcUrl ? [rpcUrl] : [] } },
  })
  const transport = parameters.transport ?? (/^wss?:/i.test(rpcUrl ?? '') ? webSocket(rpcUrl) : http(rpcUrl))
  const pollingInterval = parameters.pollingIntervalMs ?? 500
  const publicClient = createPublicClient({ chain, transport, pollingInterval })
  await assertNetworkOnChain(publicClient, network)
  const account = parameters.account ?? parameters.walletClient?.account
  const walletClient =
    parameters.walletClient ??
    (account ? createWalletClient({ account, chain, transport, pollingInterval }) : undefined)
  return { gatewayUrl, network, publicClient, account, walletClient, fetch }
}

export declare namespace connect {
  type Parameters = {
    /** Base URL of a gateway. */
    gatewayUrl: string
    /** A viem account that signs and pays, such as `privateKeyToAccount(key)`. */
    account?: Account | undefined
    /** A wallet in the browser: `createWalletClient({ account, transport: custom(window.ethereum) })`. */
    walletClient?: WalletClient | undefined
    /**
     * RPC of a node you trust. When absent, the gateway's own suggestion: good for trying things out, but a gateway that
     * lies about prices could name a node that lies with it. HTTP is best: a `ws:` URL keeps its socket, and so your process, alive.
     */
    rpcUrl?: string | undefined
    /** viem transport instead of HTTP to `rpcUrl`. */
    transport?: Transport | undefined
    /** What you know about the network already; a gateway that names anything else is refused. */
    expect?: { chainId?: number; coordinator?: Address; registry?: Address; token?: Address } | undefined
    fetch?: Fetch | undefined
    /** How often to ask the RPC while waiting for a transaction; 500 when absent. */
    pollingIntervalMs?: number | undefined
    signal?: AbortSignal | undefined
  }
  type ReturnType = Connection
}

function gatewayUrlOf(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text.replace(/\/+$/, '')
  throw new PeerHostError('config_invalid', `“${text}” is not the URL of a gateway.`, {
    hint: 'Write it with its scheme, such as https://gateway.example.',
  })
}

function assertExpected(network: NetworkInfo, expected: NonNullable<connect.Parameters['expect']>): void {
  const actual = { ...network, token: network.token.address }
  for (const member of ['chainId', 'coordinator', 'registry', 'token'] as const) {
    const wanted = expected[member]
    if (wanted === undefined || String(wanted).toLowerCase() === String(actual[member]).toLowerCase()) continue
    throw new PeerHostError('config_invalid', `The gateway serves another ${member} than the one you expect.`, {
      details: [`Expected: ${wanted}`, `Gateway: ${actual[member]}`],
      hint: 'Do not use this gateway, or correct what you expect.',
    })
  }
}

async function assertNetworkOnChain(publicClient: PublicClient, network: NetworkInfo): Promise<void> {
  const { coordinator, registry, token } = network
  const chainId = await onChain(() => publicClient.getChainId())
  if (chainId !== network.chainId) {
    throw new PeerHostError('config_invalid', `The RPC is of chain ${chainId}, the gateway of ${network.chainId}.`, {
      hint: `Pass an \`rpcUrl\` of chain ${network.chainId}.`,
    })
  }
  const contracts = { coordinator, registry, token: token.address }
  await Promise.all(
    Object.entries(contracts).map(async ([name, address]) => {
      const code = await onChain(() => publicClient.getCode({ address }))
      if (code && code !== '0x') return
      throw mismatch(`There is no ${name} at ${address} on chain ${chainId}.`)
    }),
  )
  const read = (functionName: 'name' | 'version' | 'decimals') =>
    onChain(() => publicClient.readContract({ address: token.address, abi: tokenAbi, functionName }))
  const [settlementToken, name, version, decimals] = await Promise.all([
    onChain(() =>
      publicClient.readContract({ address: coordinator, abi: executionCoordinatorAbi, functionName: 'token' }),
    ),
    read('name'),
    read('version'),
    read('decimals'),
  ])
  if (settlementToken.toLowerCase() !== token.address.toLowerCase()) {
    throw mismatch(`The coordinator settles in ${settlementToken}, the gateway says ${token.address}.`)
  }
  if (name !== token.name || version !== token.version || decimals !== token.decimals) {
    throw mismatch(
      `The token is ${name} ${version} with ${decimals} decimals, the gateway says ${token.name} ${token.version} with ${token.decimals}.`,
    )
  }
}

async function onChain<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    throw new PeerHostError('chain_unavailable', 'The chain could not be read.', {
      cause,
      hint: 'Check that the RPC URL is right and reachable.',
    })
  }
}

function mismatch(message: string): PeerHostError {
  return new PeerHostError('config_invalid', message, {
    hint: 'The gateway and the RPC are not of one network: check both URLs.',
  })
}
