import { join } from 'node:path'
import { PeerHostError } from '@peerhost/protocol'
import { type Address, getAddress, type Hex, isAddress } from 'viem'
import { z } from 'zod'

/** Everything a worker is told from outside. Money in decimal tokens is kept as text until the token's decimals are known. */
export type WorkerConfig = {
  /** In order of preference: the next one answers when one does not. */
  rpcUrls: string[]
  chainId: number
  coordinator: Address
  /** Where it is given, it must be the coordinator's own. */
  registry: Address | undefined
  token: Address | undefined
  gateways: string[]
  operatorKey: Hex | undefined
  executionKey: Hex
  stake: string | undefined
  dataDirectory: string
  /** Where the runtime image is built; workers of one machine may share it. */
  runtimeDirectory: string
  blockSources: string[]
  sandbox: 'docker' | 'process'
  capacity: number
  dockerSocket: string | undefined
  containerRuntime: string | undefined
  /** In atomic units of the settlement token. */
  minimumFee: bigint
  deployBlock: bigint
  settlePatienceSeconds: number
  /** Whether it sits in juries, audits and captures seeds. */
  upkeep: boolean
  /** How long a drain may take before what runs is aborted. */
  drainSeconds: number
  /** Where metrics and status are served; loopback unless it is another. */
  metricsHost: string
  metricsPort: number | undefined
  logLevel: (typeof logLevels)[number]
}

/** All settings but the keys. */
export type OpenSettings = Omit<WorkerConfig, 'operatorKey' | 'executionKey'>

type Environment = Readonly<Record<string, string | undefined>>

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

const key = z
  .string('is required, or its keystore')
  .regex(/^0x[0-9a-fA-F]{64}$/, 'must be 0x and 64 hex digits')
  .transform((value) => value as Hex)
const address = z
  .string()
  .refine((value) => isAddress(value, { strict: false }), 'must be an address')
  .transform((value) => getAddress(value))
const number = (most: number) => z.coerce.number('must be a number').int().min(0).max(most)
const amount = z
  .string()
  .regex(/^[0-9]{1,38}$/, 'must be a whole number of atomic units')
  .transform(BigInt)

function urlList(protocols: readonly string[]) {
  return z
    .string()
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== ''),
    )
    .refine(
      (urls) => urls.every((url) => URL.canParse(url) && protocols.includes(new URL(url).protocol)),
      `must be a comma-separated list of ${protocols.map((protocol) => `${protocol}//`).join(' or ')} addresses`,
    )
}

const schema = z.object({
  PEERHOST_RPC_URL: urlList(['ws:', 'wss:', 'http:', 'https:']).refine((urls) => urls.length > 0, 'is required'),
  PEERHOST_CHAIN_ID: number(Number.MAX_SAFE_INTEGER).min(1),
  PEERHOST_COORDINATOR: address,
  PEERHOST_REGISTRY: address.optional(),
  PEERHOST_TOKEN: address.optional(),
  PEERHOST_GATEWAYS: urlList(['ws:', 'wss:']).default([]),
  PEERHOST_OPERATOR_KEY: key.optional(),
  PEERHOST_EXECUTION_KEY: key,
  PEERHOST_STAKE: z
    .string()
    .regex(/^[0-9]+(\.[0-9]+)?$/, 'must be a decimal number of tokens')
    .optional(),
  PEERHOST_DATA_DIR: z.string('is required').min(1),
  PEERHOST_RUNTIME_DIR: z.string().min(1).optional(),
  PEERHOST_BLOCK_SOURCES: urlList(['http:', 'https:']).default([]),
  PEERHOST_SANDBOX: z.enum(['docker', 'process'], 'must be docker or process').default('docker'),
  PEERHOST_CAPACITY: number(1_000).min(1).default(4),
  PEERHOST_DOCKER_SOCKET: z.string().optional(),
  PEERHOST_CONTAINER_RUNTIME: z.string().optional(),
  PEERHOST_MINIMUM_FEE: amount.default(0n),
  PEERHOST_DEPLOY_BLOCK: amount.default(0n),
  PEERHOST_SETTLE_PATIENCE_SECONDS: number(3_000).default(60),
  PEERHOST_UPKEEP: z.enum(['on', 'off'], 'must be on or off').default('on'),
  PEERHOST_DRAIN_SECONDS: number(3_600).default(90),
  PEERHOST_METRICS_HOST: z.string().default('127.0.0.1'),
  PEERHOST_METRICS_PORT: number(65_535).optional(),
  PEERHOST_LOG_LEVEL: z.enum(logLevels, 'must be a pino level').default('info'),
})

const openSchema = schema.omit({ PEERHOST_OPERATOR_KEY: true, PEERHOST_EXECUTION_KEY: true })

/**
 * Reads the whole environment at once. Throws `config_invalid` with every problem in `details`; never a value, because
 * values may be keys.
 */
export function readConfig(env: Environment): WorkerConfig {
  const e = parse(schema, env)
  return { ...openSettings(e), operatorKey: e.PEERHOST_OPERATOR_KEY, executionKey: e.PEERHOST_EXECUTION_KEY }
}

/** What may be known of a worker without its password. Throws `config_invalid`. */
export function readOpenSettings(env: Environment): OpenSettings {
  return openSettings(parse(openSchema, env))
}

function openSettings(e: z.output<typeof openSchema>): OpenSettings {
  return {
    rpcUrls: e.PEERHOST_RPC_URL,
    chainId: e.PEERHOST_CHAIN_ID,
    coordinator: e.PEERHOST_COORDINATOR,
    registry: e.PEERHOST_REGISTRY,
    token: e.PEERHOST_TOKEN,
    gateways: e.PEERHOST_GATEWAYS,
    stake: e.PEERHOST_STAKE,
    dataDirectory: e.PEERHOST_DATA_DIR,
    runtimeDirectory: e.PEERHOST_RUNTIME_DIR ?? join(e.PEERHOST_DATA_DIR, 'runtime'),
    blockSources: e.PEERHOST_BLOCK_SOURCES,
    sandbox: e.PEERHOST_SANDBOX,
    capacity: e.PEERHOST_CAPACITY,
    dockerSocket: e.PEERHOST_DOCKER_SOCKET,
    containerRuntime: e.PEERHOST_CONTAINER_RUNTIME,
    minimumFee: e.PEERHOST_MINIMUM_FEE,
    deployBlock: e.PEERHOST_DEPLOY_BLOCK,
    settlePatienceSeconds: e.PEERHOST_SETTLE_PATIENCE_SECONDS,
    upkeep: e.PEERHOST_UPKEEP === 'on',
    drainSeconds: e.PEERHOST_DRAIN_SECONDS,
    metricsHost: e.PEERHOST_METRICS_HOST,
    metricsPort: e.PEERHOST_METRICS_PORT,
    logLevel: e.PEERHOST_LOG_LEVEL,
  }
}

function parse<T>(whole: z.ZodType<T>, env: Environment): T {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''))
  const parsed = whole.safeParse(given)
  if (parsed.success) return parsed.data
  throw new PeerHostError('config_invalid', 'The worker’s settings are not complete.', {
    details: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${problem(issue)}`),
    hint: 'Set these environment variables and start again.',
  })
}

function problem(issue: { code?: string; message: string; input?: unknown }): string {
  return issue.code === 'invalid_type' && issue.message.includes('received undefined') ? 'is required' : issue.message
}
