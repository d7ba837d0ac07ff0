import { createPublicClient, defineChain, http, type PublicClient, type Transport, webSocket } from 'viem'
import { type FallbackOptions, fallbackEndpoints } from './fallbackEndpoints.ts'

export type ChainClientOptions = Partial<FallbackOptions> & {
  /** In order of preference. `ws(s)://` is listened to; `http(s)://` is polled. */
  rpcUrls: readonly string[]
  chainId: number
  pollingIntervalMs?: number
}

/** A client, and the way to end its connections. */
export type ChainClient = { client: PublicClient; transport: Transport; close: () => Promise<void> }

const requestTimeoutMs = 10_000
const keepAliveMs = 10_000
const defaultPollingIntervalMs = 500

/**
 * Connects on first use, and again on the next use after the connection was lost. With several endpoints the next one
 * answers when one does not.
 */
export function createChainClient({
  rpcUrls,
  chainId,
  pollingIntervalMs,
  ...options
}: ChainClientOptions): ChainClient {
  const endpoints = rpcUrls.map((url) => ({ url, transport: endpointTransport(url) }))
  const [only] = endpoints
  const transport = only && endpoints.length === 1 ? only.transport : fallbackEndpoints(endpoints, options)
  const chain = defineChain({
    id: chainId,
    name: `chain ${chainId}`,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [] } },
  })
  const client = createPublicClient({
    chain,
    transport,
    pollingInterval: pollingIntervalMs ?? defaultPollingIntervalMs,
  }) as PublicClient
  return { client, transport, close: () => closeConnections(client.transport) }
}

function endpointTransport(url: string): Transport {
  return url.startsWith('ws') ? revivingWebSocket(url) : http(url, { timeout: requestTimeoutMs, retryCount: 2 })
}

type RpcClient = { socket: { readyState: number }; close: () => void }
type RpcValue = { getRpcClient: () => Promise<RpcClient>; subscribe: (parameters: unknown) => Promise<unknown> }

const closing = 2

/**
 * viem reconnects a few times and then never again, and keeps a dead connection in its cache. Here a dead one is thrown
 * away before the next use, and one that does not answer is ended, so that its listeners hear of it.
 */
function revivingWebSocket(url: string): Transport {
  const create = webSocket(url, {
    reconnect: false,
    keepAlive: { interval: keepAliveMs },
    timeout: requestTimeoutMs,
    retryCount: 1,
  })
  const reviving = (parameters: Parameters<typeof create>[0]) => {
    const inner = create(parameters)
    const value = inner.value as unknown as RpcValue
    async function revive(): Promise<RpcClient> {
      const current = await value.getRpcClient()
      if (current.socket.readyState < closing) return current
      current.close()
      return value.getRpcClient()
    }
    const request = async (args: never) => {
      const current = await revive()
      try {
        return await inner.request(args)
      } catch (error) {
        if (error instanceof Error && error.name === 'TimeoutError') current.close()
        throw error
      }
    }
    const subscribe = async (subscription: unknown) => {
      await revive()
      return value.subscribe(subscription)
    }
    return { ...inner, request, value: { ...value, subscribe } }
  }
  return reviving as unknown as Transport
}

async function closeConnections(transport: unknown): Promise<void> {
  const { getRpcClient, transports = [] } = transport as Partial<RpcValue> & {
    transports?: readonly { value?: unknown }[]
  }
  await Promise.all(transports.map(({ value }) => closeConnections(value ?? {})))
  if (!getRpcClient) return
  // A connection that cannot be made needs no closing.
  const current = await getRpcClient().catch(() => undefined)
  current?.close()
}
