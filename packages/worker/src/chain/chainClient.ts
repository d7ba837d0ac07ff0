import { createPublicClient, defineChain, http, type PublicClient, type Transport, webSocket } from 'viem'

export type ChainClientOptions = {
  /** `ws(s)://` is listened to; `http(s)://` is polled. */
  rpcUrl: string
  chainId: number
  pollingIntervalMs?: number
}

/** A client, and the way to end its connection. */
export type ChainClient = { client: PublicClient; transport: Transport; close: () => Promise<void> }

const requestTimeoutMs = 10_000
const keepAliveMs = 10_000
const defaultPollingIntervalMs = 500

/** Connects on first use, and again on the next use after the connection was lost. */
export function createChainClient({ rpcUrl, chainId, pollingIntervalMs }: ChainClientOptions): ChainClient {
  const transport = rpcUrl.startsWith('ws')
    ? revivingWebSocket(rpcUrl)
    : http(rpcUrl, { timeout: requestTimeoutMs, retryCount: 2 })
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
  return { client, transport, close: () => closeConnection(client.transport) }
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

async function closeConnection(transport: unknown): Promise<void> {
  const { getRpcClient } = transport as Partial<RpcValue>
  if (!getRpcClient) return
  // A connection that cannot be made needs no closing.
  const current = await getRpcClient().catch(() => undefined)
  current?.close()
}
