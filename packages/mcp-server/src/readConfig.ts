import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { PeerHostError } from '@peerhost/protocol'
import { type Address, getAddress, isAddress } from 'viem'
import type { Expose } from './catalogue/catalogue.ts'

/** What one run of the server is told, from flags first, then from the environment. */
export type Config = {
  gatewayUrl: string
  rpcUrl?: string
  /** Absent: stdio. */
  http?: { host: string; port: number }
  /** Bearer token of HTTP mode. */
  token?: string
  keyFile?: string
  key?: string
  policyPath?: string
  dataDirectory: string
  expose: Expose
  owners: Address[]
  projects: string[]
  timeoutMs: number
}

export const usage = `Usage: peerhost-mcp --gateway URL [options]

  --gateway URL       the PeerHost gateway (PEERHOST_GATEWAY)
  --http [host:port]  streamable HTTP on loopback instead of stdio; 127.0.0.1:3402 when no address is given
  --key-file PATH     private key of a small wallet, mode 600 (PEERHOST_MCP_KEY_FILE)
  --policy PATH       spending policy, JSON (PEERHOST_MCP_POLICY); see the README
  --expose MODE       pinned, search or all; by default the owners and projects given, or all up to 40
  --owner ADDRESS     only functions of this wallet; may be repeated
  --project NAME      only functions of this project; may be repeated
  --data-dir PATH     ledger and results (PEERHOST_MCP_DATA_DIR)
  --rpc URL           node to check receipts with; the gateway's suggestion when absent (PEERHOST_RPC_URL)
  --timeout SECONDS   longest wait for one answer; 180
  --help              this text

  PEERHOST_MCP_TOKEN  bearer token of HTTP mode; made and printed on stderr when a wallet is loaded and none is given
  PEERHOST_MCP_KEY    the key itself, for test networks only
`

const loopback = ['127.0.0.1', 'localhost', '::1', '[::1]']
const defaultHttp = '127.0.0.1:3402'

/** Flags and environment → config. Throws `config_invalid` with every problem at once, and never a value that may be secret. */
export function readConfig(args: readonly string[], env: Record<string, string | undefined>): Config | 'help' {
  const flags = parseFlags(args)
  if (flags.help) return 'help'
  const problems: string[] = []
  const gatewayUrl = flags.gateway ?? env.PEERHOST_GATEWAY ?? ''
  if (!/^https?:\/\//.test(gatewayUrl) || !URL.canParse(gatewayUrl))
    problems.push('--gateway: needs the URL of a gateway')
  const http = flags.http === undefined ? undefined : readHttp(flags.http, problems)
  const expose = flags.expose ?? 'auto'
  if (!isExpose(expose)) problems.push('--expose: pinned, search or all')
  const owners = (flags.owner ?? []).filter((owner) => {
    if (isAddress(owner, { strict: false })) return true
    problems.push(`--owner: ${owner.slice(0, 60)} is not an address`)
    return false
  })
  const seconds = Number(flags.timeout ?? '180')
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 900) problems.push('--timeout: 1 to 900 seconds')
  if (env.PEERHOST_MCP_TOKEN !== undefined && env.PEERHOST_MCP_TOKEN.length < 20)
    problems.push('PEERHOST_MCP_TOKEN: at least 20 characters')
  if (problems.length > 0)
    throw new PeerHostError('config_invalid', 'The server cannot start with this configuration.', {
      details: problems,
      hint: 'Run peerhost-mcp --help.',
    })
  const rpcUrl = flags.rpc ?? env.PEERHOST_RPC_URL
  const keyFile = flags['key-file'] ?? env.PEERHOST_MCP_KEY_FILE
  const policyPath = flags.policy ?? env.PEERHOST_MCP_POLICY
  return {
    gatewayUrl,
    ...(rpcUrl && { rpcUrl }),
    ...(http && { http }),
    ...(env.PEERHOST_MCP_TOKEN && { token: env.PEERHOST_MCP_TOKEN }),
    ...(keyFile && { keyFile }),
    ...(env.PEERHOST_MCP_KEY && { key: env.PEERHOST_MCP_KEY }),
    ...(policyPath && { policyPath }),
    dataDirectory: flags['data-dir'] ?? env.PEERHOST_MCP_DATA_DIR ?? defaultDataDirectory(env),
    expose: expose as Expose,
    owners: owners.map((owner) => getAddress(owner)),
    projects: flags.project ?? [],
    timeoutMs: seconds * 1_000,
  }
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({
      args: withHttpValue(args),
      options: {
        gateway: { type: 'string' },
        http: { type: 'string' },
        'key-file': { type: 'string' },
        policy: { type: 'string' },
        expose: { type: 'string' },
        owner: { type: 'string', multiple: true },
        project: { type: 'string', multiple: true },
        'data-dir': { type: 'string' },
        rpc: { type: 'string' },
        timeout: { type: 'string' },
        help: { type: 'boolean' },
      },
      strict: true,
    }).values
  } catch (cause) {
    throw new PeerHostError('config_invalid', (cause as Error).message, { hint: 'Run peerhost-mcp --help.' })
  }
}

/** `--http` alone means the default address. */
function withHttpValue(args: readonly string[]): string[] {
  return args.flatMap((arg, index) => {
    const next = args[index + 1]
    return arg === '--http' && (next === undefined || next.startsWith('-')) ? ['--http', defaultHttp] : [arg]
  })
}

function readHttp(text: string, problems: string[]): { host: string; port: number } {
  const match = /^(?:(.+):)?([0-9]{1,5})$/.exec(text)
  const host = match?.[1] ?? '127.0.0.1'
  const port = Number(match?.[2])
  if (!match || port > 65_535) problems.push('--http: host:port, such as 127.0.0.1:3402')
  else if (!loopback.includes(host))
    problems.push('--http: only loopback addresses; put a proxy with its own authentication before it to go further')
  return { host: host.replace(/^\[|\]$/g, ''), port }
}

function isExpose(text: string): boolean {
  return ['auto', 'pinned', 'search', 'all'].includes(text)
}

function defaultDataDirectory(env: Record<string, string | undefined>): string {
  return join(env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'peerhost', 'mcp')
}
