import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { canonicalPath, type HeaderPair, PeerHostError } from '@peerhost/protocol'
import express, { type Express, type Request, type Response } from 'express'
import type { Logger } from 'pino'
import { isFunctionUrl } from '../walk/resolve.ts'
import { type BlockRouteDeps, getBlock, putBlock } from './blockRoutes.ts'
import { type CallDeps, serveCall } from './callRoute.ts'
import { preflightHeaders } from './cors.ts'
import { type FacilitatorRouteDeps, facilitatorSupported, facilitatorUse } from './facilitatorRoutes.ts'
import { type FunctionRouteDeps, getFunction, listFunctions } from './functionRoutes.ts'
import { getNetwork, getReadiness, type NetworkRouteDeps } from './networkRoutes.ts'
import type { RateLimit } from './rateLimit.ts'
import { getRequest, getTranscript, type RequestRouteDeps } from './requestRoutes.ts'
import { deleteSecretRoute, listSecretsRoute, putSecretRoute, type SecretRouteDeps } from './secretRoutes.ts'
import { type Exchange, write, writeJson, writeProblem } from './write.ts'

export type AppDeps = CallDeps &
  BlockRouteDeps &
  FacilitatorRouteDeps &
  FunctionRouteDeps &
  NetworkRouteDeps &
  RequestRouteDeps &
  SecretRouteDeps & {
    log: Logger
    domain: string | undefined
    rateLimit: RateLimit
    /** How many proxies in front of this server may say who the client is. */
    trustedProxies: number
    isStopping: () => boolean
  }

type Route = (deps: AppDeps, request: Request, exchange: Exchange) => Promise<void> | void

/** The HTTP server's request handler. What is a function's URL is decided first; all other paths are ours. */
export function createApp(deps: AppDeps): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('trust proxy', deps.trustedProxies)
  const at = (route: Route) => (request: Request, response: Response) => serve(deps, request, response, route)
  app.use((request, response, next) => {
    const url = readUrl(request)
    if (url && !isFunctionUrl(deps.domain, url)) return next()
    return serve(deps, request, response, (_, __, exchange) => {
      if (!url) throw new PeerHostError('request_invalid', 'The request target is not a path.')
      if (deps.isStopping()) throw new PeerHostError('shutting_down', 'The gateway is stopping.')
      return serveCall(deps, request, url, exchange)
    })
  })
  app.options(
    '/{*path}',
    at((_, request, exchange) =>
      write(exchange, 204, preflightHeaders(request.headers['access-control-request-headers']), new Uint8Array()),
    ),
  )
  app.get(
    '/livez',
    at((_, __, exchange) => writeJson(exchange, 200, { status: 'ok' })),
  )
  app.get('/readyz', at(getReadiness))
  app.get('/v1/network', at(getNetwork))
  app.get('/v1/functions', at(listFunctions))
  app.get('/v1/functions/:functionId', at(getFunction))
  app.get('/v1/requests/:requestId', at(getRequest))
  app.get('/v1/requests/:requestId/transcript', at(getTranscript))
  app.get('/ipfs/:cid', at(getBlock))
  app.put('/ipfs/:cid', at(putBlock))
  app.get('/v1/secrets/:creator/:project', at(listSecretsRoute))
  app.put('/v1/secrets/:creator/:project/:name', at(putSecretRoute))
  app.delete('/v1/secrets/:creator/:project/:name', at(deleteSecretRoute))
  app.get('/x402/supported', at(facilitatorSupported))
  app.post('/x402/:use', at(facilitatorUse))
  app.use(
    at(() => {
      throw new PeerHostError('function_not_found', 'There is nothing at this URL.', {
        hint: 'Functions are at /<wallet>/<project>/<function>.',
      })
    }),
  )
  return app
}

/** Raw path and query, and the host by which the server was called. `undefined` when the target is not a path. */
function readUrl(request: IncomingMessage): { host: string; path: string; query: string } | undefined {
  const target = request.url ?? ''
  if (!target.startsWith('/')) return undefined
  const mark = target.indexOf('?')
  const raw = mark === -1 ? target : target.slice(0, mark)
  const host = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase()
  const query = mark === -1 ? '' : target.slice(mark + 1)
  return { host, path: spelled(raw), query }
}

/** The one spelling of a path; as it is when it has none, for the walk to refuse. */
function spelled(raw: string): string {
  try {
    return canonicalPath(raw)
  } catch {
    return raw
  }
}

async function serve(deps: AppDeps, request: Request, response: ServerResponse, route: Route): Promise<void> {
  const startedAtMs = performance.now()
  const exchange = open(deps, request, response)
  try {
    if (exchange.limited) throw exchange.limited
    await route(deps, request, exchange)
  } catch (error) {
    const problem = writeProblem(exchange, error)
    if (problem.status === 500) deps.log.error({ err: error, requestId: exchange.requestId }, 'request failed')
  }
  deps.log.info(
    {
      requestId: exchange.requestId,
      trace: request.headers.traceparent,
      method: request.method,
      path: (request.url ?? '').split('?')[0]?.slice(0, 200),
      status: response.statusCode,
      ms: Math.round(performance.now() - startedAtMs),
    },
    'request',
  )
}

function open(
  deps: AppDeps,
  request: Request,
  response: ServerResponse,
): Exchange & { limited: PeerHostError | undefined } {
  const asked = request.headers['x-request-id']
  const requestId = typeof asked === 'string' && /^[\w.-]{1,128}$/.test(asked) ? asked : randomUUID()
  const { traceparent } = request.headers
  const isTrace = typeof traceparent === 'string' && /^[0-9a-f-]{55}$/.test(traceparent)
  const { headers, limited } = deps.rateLimit.take(request.ip ?? '')
  const common: HeaderPair[] = [
    ['x-request-id', requestId],
    ...(isTrace ? [['traceparent', traceparent] as const] : []),
    ...headers,
  ]
  return { response, requestId, headers: common, limited }
}
