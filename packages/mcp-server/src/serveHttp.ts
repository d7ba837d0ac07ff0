import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  localhostHostValidation,
  localhostOriginValidation,
  type NodeIncomingMessageLike,
  toNodeHandler,
} from '@modelcontextprotocol/node'
import { createMcpHandler, type McpServerFactory } from '@modelcontextprotocol/server'
import { PeerHostError } from '@peerhost/protocol'
import type { Log } from './log.ts'

export type HttpOptions = {
  host: string
  /** 0 lets the system choose. */
  port: number
  /** Every request has to carry it. Absent only when no wallet is loaded. */
  token: string | undefined
}

/** A body of a function is at most 1 MiB; base64 and JSON around it. */
const maximumBodyBytes = 2_097_152

/**
 * Serves MCP over streamable HTTP at `/mcp` on loopback. A web page can reach loopback too: Host and Origin have to be
 * local, and with a token every request has to show it.
 */
export async function serveHttp(
  { factory, log }: { factory: McpServerFactory; log: Log },
  { host, port, token }: HttpOptions,
): Promise<{ url: string; close: () => Promise<void> }> {
  const onerror = (error: Error) => log('mcp error', { error: error.message })
  const handler = createMcpHandler(factory, { maxRequestBodySize: maximumBodyBytes, onerror })
  const serve = toNodeHandler(handler, { maxRequestBodySize: maximumBodyBytes, onerror })
  const isHostLocal = localhostHostValidation()
  const isOriginLocal = localhostOriginValidation()

  const server = createServer((request, response) => {
    if (!isHostLocal(request, response) || !isOriginLocal(request, response)) return
    if (new URL(request.url ?? '/', 'http://localhost').pathname !== '/mcp')
      return refuse(response, 404, 'Not found: MCP is at /mcp.')
    if (token !== undefined && !hasToken(request, token)) {
      response.setHeader('www-authenticate', 'Bearer realm="peerhost-mcp"')
      return refuse(response, 401, 'A bearer token is required: see what this server printed on stderr at its start.')
    }
    serve(request as NodeIncomingMessageLike, response).catch((error: unknown) => {
      log('request failed', { error: String(error) })
      response.destroy()
    })
  })
  server.requestTimeout = 30_000
  server.headersTimeout = 10_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new PeerHostError('config_invalid', `Cannot listen on ${host}:${port}.`, { cause, details: [cause.message] }),
      ),
    )
    server.listen(port, host, resolve)
  })
  const { port: actual } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${actual}/mcp`,
    close: async () => {
      await handler.close()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

function hasToken(request: IncomingMessage, token: string): boolean {
  const given = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(request.headers.authorization ?? '')?.[1]
  if (given === undefined) return false
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(token))
}

function refuse(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: -32_000, message } }))
}
