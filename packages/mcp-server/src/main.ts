#!/usr/bin/env node
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { isPeerHostError } from '@peerhost/protocol'
import { createMcpServer } from './createMcpServer.ts'
import { createLog, type Log } from './log.ts'
import { type Config, readConfig, usage } from './readConfig.ts'
import { createSdkPort } from './sdkPort.ts'
import { serveHttp } from './serveHttp.ts'
import { readWalletKey } from './walletKey.ts'

const nowMs = () => Date.now()

async function main(): Promise<void> {
  const config = readConfig(process.argv.slice(2), process.env)
  if (config === 'help') {
    process.stderr.write(usage)
    return
  }
  const key = await readWalletKey({
    ...(config.keyFile !== undefined && { file: config.keyFile }),
    ...(config.key !== undefined && { value: config.key }),
  })
  const secrets = [key?.secret, config.token].filter((text) => text !== undefined)
  const log = createLog((line) => process.stderr.write(line), secrets)
  const { gatewayUrl, rpcUrl, policyPath, expose, owners, projects, timeoutMs } = config
  const server = await createMcpServer({
    port: createSdkPort({ gatewayUrl, ...(rpcUrl && { rpcUrl }), nowMs }),
    ...(key && { key }),
    ...(policyPath && { policyPath }),
    dataDirectory: join(config.dataDirectory, key ? key.account.address.toLowerCase() : 'read-only'),
    ...{ expose, owners, projects, timeoutMs, nowMs, log },
  })
  log('start', {
    gateway: new URL(gatewayUrl).origin,
    wallet: key?.account.address ?? 'none',
    policy: policyPath ?? 'built-in',
  })
  const close = config.http
    ? await startHttp(config, config.http, server, key !== undefined, log)
    : startStdio(server, log)
  onceStopped(async (reason) => {
    log('stop', { reason })
    await close()
    await server.close()
  })
}

type Server = Awaited<ReturnType<typeof createMcpServer>>

function startStdio(server: Server, log: Log): () => Promise<void> {
  const handle = serveStdio(server.factory, { onerror: (error) => log('mcp error', { error: error.message }) })
  return () => handle.close()
}

async function startHttp(
  config: Config,
  address: { host: string; port: number },
  server: Server,
  hasWallet: boolean,
  log: Log,
): Promise<() => Promise<void>> {
  const made = config.token === undefined && hasWallet ? randomBytes(24).toString('base64url') : undefined
  const { url, close } = await serveHttp({ factory: server.factory, log }, { ...address, token: config.token ?? made })
  // For the human who starts it, once; the log never has it.
  if (made !== undefined) process.stderr.write(`PeerHost MCP token: ${made}\n`)
  log('listening', { url })
  return close
}

/** Stops on the first signal, or when stdin ends in stdio mode; a second signal ends at once. */
function onceStopped(stop: (reason: string) => Promise<void>): void {
  let stopping = false
  const begin = (reason: string) => {
    if (stopping) process.exit(1)
    stopping = true
    stop(reason).then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.on('SIGINT', () => begin('SIGINT'))
  process.on('SIGTERM', () => begin('SIGTERM'))
  if (!process.argv.includes('--http')) process.stdin.once('end', () => begin('stdin ended'))
}

main().catch((error: unknown) => {
  const lines = isPeerHostError(error)
    ? [`${error.code}: ${error.message}`, ...error.details, ...(error.hint ? [error.hint] : [])]
    : [error instanceof Error ? (error.stack ?? error.message) : 'unknown error']
  process.stderr.write(`${lines.join('\n')}\n`)
  process.exit(isPeerHostError(error) ? 2 : 1)
})
