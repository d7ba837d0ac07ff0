import { setTimeout as sleep } from 'node:timers/promises'
import { createChainClient } from './chainClient.ts'
import { originOf } from './fallbackEndpoints.ts'

/** What one RPC endpoint says about itself. `endpoint` is its origin: the rest of a URL may be a secret. */
export type EndpointProbe =
  | {
      type: 'answers'
      endpoint: string
      chainId: number
      head: bigint
      /** Of the newest block, in seconds since 1970. */
      timestamp: number
      tookMs: number
    }
  | { type: 'away'; endpoint: string; problem: string }

const probeWithinMs = 10_000

/** Asks every endpoint by itself, all at once. Never throws: one that does not answer is `away`. */
export function probeEndpoints(rpcUrls: readonly string[], withinMs = probeWithinMs): Promise<EndpointProbe[]> {
  return Promise.all(rpcUrls.map((url) => probeEndpoint(url, withinMs)))
}

async function probeEndpoint(url: string, withinMs: number): Promise<EndpointProbe> {
  const endpoint = originOf(url)
  // The id is what is asked; the client only needs one.
  const { client, close } = createChainClient({ rpcUrls: [url], chainId: 1 })
  const began = performance.now()
  const overdue = new AbortController()
  try {
    const answer = Promise.all([client.getChainId(), client.getBlock({ includeTransactions: false })])
    const late = sleep(withinMs, undefined, { signal: overdue.signal, ref: false }).then(() => {
      throw new Error(`No answer within ${withinMs / 1_000} s.`)
    })
    late.catch(() => {})
    const [chainId, { number: head, timestamp }] = await Promise.race([answer, late])
    const tookMs = Math.round(performance.now() - began)
    return { type: 'answers', endpoint, chainId, head, timestamp: Number(timestamp), tookMs }
  } catch (error) {
    return { type: 'away', endpoint, problem: problemOf(error) }
  } finally {
    overdue.abort()
    void close().catch(() => {})
  }
}

/** Without the URL that viem puts into its messages. */
function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return 'The connection could not be opened.'
  return (error as { shortMessage?: string }).shortMessage ?? error.message
}
