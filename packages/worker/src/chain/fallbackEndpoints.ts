import { fallback, type Transport } from 'viem'

/** One RPC endpoint of several. */
export type Endpoint = { url: string; transport: Transport }

export type FallbackOptions = {
  /** One did not answer and is left alone for a while. `endpoint` is its origin: the rest of a URL may be a secret. */
  onAway: (endpoint: string, error: unknown) => void
  /** For how long; while every endpoint is away all of them are tried again. */
  restMs: number
}

const defaultRestMs = 30_000
const awayErrors = ['HttpRequestError', 'TimeoutError', 'WebSocketRequestError', 'SocketClosedError']
const refusals = [400, 413]

type Request = (args: never) => Promise<unknown>
type Subscribe = (parameters: unknown) => Promise<unknown>

/**
 * One transport over several endpoints, in the order given. One that does not answer is passed over for a while, so that
 * an endpoint that hangs does not delay every request. Subscriptions go to the first endpoint that can push.
 */
export function fallbackEndpoints(
  endpoints: readonly Endpoint[],
  { onAway = () => {}, restMs = defaultRestMs }: Partial<FallbackOptions> = {},
): Transport {
  const away = new Map<string, { untilMs: number; error: unknown }>()
  const isAway = (url: string) => (away.get(url)?.untilMs ?? 0) > Date.now()
  const mayRest = () => endpoints.some(({ url }) => !isAway(url))
  const guarded = endpoints.map(({ url, transport }) => {
    const create = transport as unknown as (parameters: unknown) => { request: Request }
    const answering = (parameters: unknown) => {
      const inner = create(parameters)
      const request: Request = async (args) => {
        if (isAway(url) && mayRest()) throw away.get(url)?.error
        try {
          const answer = await inner.request(args)
          away.delete(url)
          return answer
        } catch (error) {
          if (isTransportError(error)) {
            if (!away.has(url)) onAway(originOf(url), error)
            away.set(url, { untilMs: Date.now() + restMs, error })
          }
          throw error
        }
      }
      return { ...inner, request }
    }
    return answering as unknown as Transport
  })
  return withSubscriptions(fallback(guarded, { retryCount: 1 }))
}

/** Scheme, host and port of an endpoint: providers put their keys into the path. */
export function originOf(url: string): string {
  const { protocol, host } = new URL(url)
  return `${protocol}//${host}`
}

function isTransportError(error: unknown): boolean {
  // A socket that cannot be opened is reported as an event.
  if (!(error instanceof Error)) return true
  // It answers, and does not like this one request.
  if (refusals.includes((error as { status?: number }).status ?? 0)) return false
  return awayErrors.includes(error.name) || (error.cause instanceof Error && awayErrors.includes(error.cause.name))
}

function withSubscriptions(transport: ReturnType<typeof fallback>): Transport {
  const subscribing = (parameters: Parameters<typeof transport>[0]) => {
    const inner = transport(parameters)
    const transports = inner.value?.transports ?? []
    const pushing = transports.flatMap(({ value }) => (value as { subscribe?: Subscribe })?.subscribe ?? [])
    if (pushing.length === 0) return inner
    const subscribe: Subscribe = async (subscription) => {
      let failure: unknown
      for (const start of pushing) {
        try {
          return await start(subscription)
        } catch (error) {
          failure = error
        }
      }
      throw failure
    }
    return { ...inner, value: { ...inner.value, subscribe } }
  }
  return subscribing as unknown as Transport
}
