import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BuiltFunction, BuiltProject } from '@peerhost/bundler'
import {
  canonicalRequest,
  decodeBody,
  decodeResult,
  type ErrorCode,
  encodeRequest,
  type HeaderPair,
  isolationOf,
  isPeerHostError,
  LIMITS,
  limitsClass,
  PeerHostError,
} from '@peerhost/protocol'
import type { Sandbox } from '@peerhost/worker'
import { toHex } from 'viem'

/** Your own functions on your own machine, without chain, payment or isolation. */
export type LocalServer = {
  url: string
  /** URL of a function of the project. */
  urlOf: (functionName: string) => string
  /** Serves this build from now on; requests under way end with the old one. */
  update: (project: BuiltProject) => void
  stop: () => Promise<void>
}

export type LocalServerOptions = {
  /** Default 127.0.0.1: whoever reaches this port runs code that nothing isolates. */
  host?: string
  port?: number | undefined
  project: BuiltProject
  /** Called once a request was answered. */
  onRequest?: (line: { method: string; path: string; status: number; durationMs: number; log: string }) => void
}

const statusOf: Partial<Record<ErrorCode, number>> = {
  request_invalid: 400,
  request_too_large: 413,
  function_not_found: 404,
  sandbox_unavailable: 503,
}

/**
 * Serves the functions of a project on `/<project>/<function>` with the network's own canonical bytes and limits. The
 * sandbox is given, so that the caller decides (and says) what isolates the code.
 */
export async function startLocalServer(deps: { sandbox: Sandbox }, options: LocalServerOptions): Promise<LocalServer> {
  let project = options.project
  let build = 0
  const server = createServer((request, response) => {
    void answer({ sandbox: deps.sandbox, project, build }, request, response, options.onRequest)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, options.host ?? '127.0.0.1', resolve)
  })
  const { address, port } = server.address() as AddressInfo
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}`
  return {
    url,
    urlOf: (name) => `${url}/${project.project}/${name}`,
    update: (next) => {
      project = next
      build += 1
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

type Serving = { sandbox: Sandbox; project: BuiltProject; build: number }

async function answer(
  serving: Serving,
  request: IncomingMessage,
  response: ServerResponse,
  onRequest: LocalServerOptions['onRequest'],
): Promise<void> {
  const startedAt = performance.now()
  let log = ''
  try {
    log = await runRequest(serving, request, response)
  } catch (error) {
    sendProblem(response, error)
  }
  const durationMs = Math.round(performance.now() - startedAt)
  onRequest?.({
    method: request.method ?? '',
    path: request.url ?? '',
    status: response.statusCode,
    durationMs,
    log,
  })
}

/** Answers one request and returns what the function wrote to its log. */
async function runRequest(
  { sandbox, project, build }: Serving,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<string> {
  const { pathname, query } = splitUrl(request.url ?? '/')
  const { target, rest } = resolveFunction(project, pathname)
  const limits = limitsClass(target.limitsClass)
  if (!limits) throw new PeerHostError('config_invalid', `There is no limits class ${target.limitsClass}.`)
  const canonical = canonicalRequest({
    method: request.method ?? 'GET',
    path: rest,
    query,
    headers: headerPairs(request.rawHeaders),
    body: await readBody(request),
  })
  const abort = new AbortController()
  response.once('close', () => abort.abort())
  const run = await sandbox.run(
    {
      deployment: `${project.project}/${target.name}:${build}`,
      bundle: target.bundle,
      limits,
      isolation: isolationOf(target.flags),
      request: encodeRequest(canonical),
      issuedAt: Math.floor(Date.now() / 1_000),
      seed: toHex(randomBytes(32)),
    },
    abort.signal,
  )
  const result = decodeResult(run.result)
  response.statusCode = result.status
  response.setHeader('access-control-allow-origin', '*')
  for (const [name, values] of groupHeaders(result.headers)) response.setHeader(name, values)
  response.end(request.method === 'HEAD' ? undefined : decodeBody(result.body))
  return run.log
}

/** The function with the longest name that the path begins with, and what follows it. */
function resolveFunction(project: BuiltProject, pathname: string): { target: BuiltFunction; rest: string } {
  const candidates = project.functions
    .map((target) => ({ target, prefix: `/${project.project}/${target.name}` }))
    .filter(({ prefix }) => pathname === prefix || pathname.startsWith(`${prefix}/`))
    .sort((a, b) => b.prefix.length - a.prefix.length)
  const found = candidates[0]
  if (found) return { target: found.target, rest: pathname.slice(found.prefix.length) }
  const names = project.functions.map(({ name }) => `/${project.project}/${name}`)
  throw new PeerHostError('function_not_found', `Nothing is served on ${pathname}.`, {
    hint: `There is ${names.join(', ')}.`,
  })
}

function splitUrl(url: string): { pathname: string; query: string } {
  const mark = url.indexOf('?')
  return mark === -1 ? { pathname: url, query: '' } : { pathname: url.slice(0, mark), query: url.slice(mark + 1) }
}

function headerPairs(raw: readonly string[]): HeaderPair[] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[index * 2] ?? '', raw[index * 2 + 1] ?? ''] as const)
}

function groupHeaders(pairs: readonly HeaderPair[]): Map<string, string[]> {
  const grouped = new Map<string, string[]>()
  for (const [name, value] of pairs) grouped.set(name, [...(grouped.get(name) ?? []), value])
  return grouped
}

async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > LIMITS.requestBodyBytes) throw new PeerHostError('request_too_large', 'The request body is too large.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function sendProblem(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const known = isPeerHostError(error) ? error : new PeerHostError('internal', String(error))
  response.statusCode = statusOf[known.code] ?? 500
  response.setHeader('content-type', 'application/problem+json')
  response.setHeader('access-control-allow-origin', '*')
  const { code, message: title, hint, details } = known
  response.end(JSON.stringify({ type: 'about:blank', title, status: response.statusCode, code, hint, details }))
}
