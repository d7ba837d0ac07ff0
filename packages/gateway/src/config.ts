import { PeerHostError } from '@peerhost/protocol'
import { type Address, getAddress, type Hex, hexToBytes } from 'viem'
import { z } from 'zod'

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'must be an address: 0x and 40 hex digits')
  .transform((text): Address => getAddress(text.toLowerCase()))
const key = z
  .string()
  .regex(/^0x[0-9a-fA-F]{64}$/, 'must be a private key: 0x and 64 hex digits')
  .transform((text) => text as Hex)
const url = (protocols: readonly string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    message: `must be a URL of ${protocols.map((name) => name.slice(0, -1)).join(', ')}`,
  })
const number = (least: number, most: number) => z.coerce.number().int().min(least).max(most)
const amount = z
  .string()
  .regex(/^\d{1,30}$/, 'must be an amount in atomic units')
  .transform(BigInt)
const flag = z.enum(['true', 'false']).transform((text) => text === 'true')

const schema = z.object({
  PEERHOST_RPC_URL: url(['http:', 'https:', 'ws:', 'wss:']),
  PEERHOST_CHAIN_ID: number(1, Number.MAX_SAFE_INTEGER),
  PEERHOST_COORDINATOR: address,
  PEERHOST_REGISTRY: address.optional(),
  PEERHOST_TOKEN: address.optional(),
  PEERHOST_GATEWAY_KEY: key,
  PEERHOST_FACILITATOR_KEY: key.optional(),
  PEERHOST_FACILITATOR_URL: url(['http:', 'https:']).optional(),
  PEERHOST_FACILITATOR_OPEN: flag.default(false),
  PEERHOST_HOST: z.string().min(1).default('127.0.0.1'),
  PEERHOST_PORT: number(0, 65_535).default(0),
  PEERHOST_DOMAIN: z
    .string()
    .regex(/^[a-z0-9.-]+$/, 'must be a lower-case host name')
    .optional(),
  PEERHOST_PUBLIC_URL: url(['http:', 'https:']).optional(),
  PEERHOST_WORKER_ORIGINS: z
    .string()
    .transform((text) => text.split(',').filter((one) => one !== ''))
    .pipe(z.array(url(['ws:', 'wss:'])))
    .optional(),
  PEERHOST_PUBLIC_RPC_URL: url(['http:', 'https:', 'ws:', 'wss:']).optional(),
  PEERHOST_DATA_DIR: z.string().min(1),
  DATABASE_URL: url(['postgres:', 'postgresql:']).optional(),
  PEERHOST_DEPLOY_BLOCK: z
    .string()
    .regex(/^\d{1,15}$/, 'must be a block number')
    .transform(BigInt)
    .default(0n),
  PEERHOST_BLOCK_SOURCES: z
    .string()
    .transform((text) => text.split(',').filter((one) => one !== ''))
    .pipe(z.array(url(['http:', 'https:'])))
    .optional(),
  PEERHOST_POLL_INTERVAL_MS: number(20, 60_000).optional(),
  PEERHOST_RATE_LIMIT_PER_MINUTE: number(0, 10_000_000).default(3_000),
  PEERHOST_TRUSTED_PROXIES: number(0, 10).default(0),
  PEERHOST_REQUESTER_BOND: z.union([z.literal('auto'), amount]).default('auto'),
  PEERHOST_COLLECT_FEES_ABOVE: amount.optional(),
  PEERHOST_SECRETS_KEY: z
    .string()
    .regex(/^0x[0-9a-fA-F]{64}(,0x[0-9a-fA-F]{64})*$/, 'must be keys of 32 bytes in hex, the newest first, with commas')
    .transform((text) => text.split(',').map((one) => hexToBytes(one as Hex)))
    .optional(),
  PEERHOST_EGRESS_DANGEROUS_HOSTS: z
    .string()
    .regex(/^[a-z0-9.-]+=[0-9a-fA-F.:]+(,[a-z0-9.-]+=[0-9a-fA-F.:]+)*$/, 'must be name=address, with commas')
    .transform((text) => new Map(text.split(',').map((one) => one.split('=') as [string, string])))
    .optional(),
  PEERHOST_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
})

/** The environment of a gateway process, read once. */
export type Config = ReturnType<typeof readConfig>

/**
 * Reads the whole environment at once. Throws `config_invalid` with every problem, one line each, and never with a value:
 * some of them are keys.
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>) {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = schema.safeParse(given)
  const problems = parsed.success
    ? parsed.data.PEERHOST_FACILITATOR_KEY === undefined && parsed.data.PEERHOST_FACILITATOR_URL === undefined
      ? ['PEERHOST_FACILITATOR_KEY: set it, or PEERHOST_FACILITATOR_URL']
      : []
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${describe(issue, given)}`)
  if (!parsed.success || problems.length > 0)
    throw new PeerHostError('config_invalid', 'The environment is not that of a gateway.', { details: problems })
  const e = parsed.data
  const isLocalChain = ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(e.PEERHOST_RPC_URL).hostname)
  return {
    rpcUrl: e.PEERHOST_RPC_URL,
    chainId: e.PEERHOST_CHAIN_ID,
    coordinator: e.PEERHOST_COORDINATOR,
    registry: e.PEERHOST_REGISTRY,
    token: e.PEERHOST_TOKEN,
    gatewayKey: e.PEERHOST_GATEWAY_KEY,
    facilitatorKey: e.PEERHOST_FACILITATOR_KEY,
    facilitatorUrl: e.PEERHOST_FACILITATOR_URL,
    openFacilitator: e.PEERHOST_FACILITATOR_OPEN,
    host: e.PEERHOST_HOST,
    port: e.PEERHOST_PORT,
    domain: e.PEERHOST_DOMAIN,
    publicUrl: e.PEERHOST_PUBLIC_URL?.replace(/\/$/, ''),
    workerOrigins: (e.PEERHOST_WORKER_ORIGINS ?? []).map((one) => new URL(one).origin),
    // A chain on this machine has no secret in its URL, and who uses this gateway may use it too.
    publicRpcUrl: e.PEERHOST_PUBLIC_RPC_URL ?? (isLocalChain ? e.PEERHOST_RPC_URL : undefined),
    dataDirectory: e.PEERHOST_DATA_DIR,
    databaseUrl: e.DATABASE_URL,
    deployBlock: e.PEERHOST_DEPLOY_BLOCK,
    blockSources: e.PEERHOST_BLOCK_SOURCES ?? [],
    pollIntervalMs: e.PEERHOST_POLL_INTERVAL_MS ?? (isLocalChain ? 100 : 2_000),
    rateLimitPerMinute: e.PEERHOST_RATE_LIMIT_PER_MINUTE,
    trustedProxies: e.PEERHOST_TRUSTED_PROXIES,
    requesterBond: e.PEERHOST_REQUESTER_BOND,
    collectFeesAbove: e.PEERHOST_COLLECT_FEES_ABOVE,
    secretsKeys: e.PEERHOST_SECRETS_KEY ?? [],
    dangerousHosts: e.PEERHOST_EGRESS_DANGEROUS_HOSTS,
    logLevel: e.PEERHOST_LOG_LEVEL,
  }
}

function describe(issue: z.core.$ZodIssue, given: Readonly<Record<string, unknown>>): string {
  return given[String(issue.path[0])] === undefined ? 'is missing' : issue.message
}
