import {
  DEPLOYMENT_FLAGS,
  digestToCid,
  encodeCanonicalJson,
  type IsolationLevel,
  isolationFlags,
  type Lane,
  LIMITS,
  LIMITS_CLASSES,
  type NetworkAccess,
  type PaymentMode,
  PeerHostError,
  secretsOf,
} from '@peerhost/protocol'
import { type Address, getAddress, type Hex, parseUnits, sha256 } from 'viem'
import { bundleFunction } from './bundleFunction.ts'
import type { FunctionMethod, FunctionSettings } from './configSchema.ts'
import type { FoundFunction } from './findFunctions.ts'
import { networkAccessOf } from './networkSettings.ts'

/** What a function publishes about itself: canonical JSON, one raw block. */
export type FunctionMetadata = {
  v: 1
  name: string
  description: string
  methods: FunctionMethod[]
  input?: Record<string, unknown>
  output?: Record<string, unknown>
  runtime: 'node24'
  bundleCid: string
  /** Where it may call. Its digest stands on chain, so gateway and owner go by the same list. */
  network?: NetworkAccess
  /** Names of the secrets that the code reads. */
  env?: readonly string[]
  /** The operators that alone may run it. */
  trustedWorkers?: readonly Address[]
}

/** One function, ready to be stored and registered. Money is in atomic units of the settlement token. */
export type BuiltFunction = {
  name: string
  /** Where it comes from, relative to the project. */
  file: string
  bundle: Uint8Array
  /** sha2-256 of `bundle`. */
  digest: Hex
  cid: string
  metadata: FunctionMetadata
  metadataBytes: Uint8Array
  metadataDigest: Hex
  metadataCid: string
  /** What a caller pays; 0 when the function is free. */
  price: bigint
  /** Undefined: the owner. */
  payee?: Address
  paymentMode: PaymentMode
  limitsClass: number
  /** What the owner pays the network for one request: the fee of the limits class, for each worker of the quorum. */
  fee: bigint
  /** See `DEPLOYMENT_FLAGS`. */
  flags: number
  /** How many workers must agree. */
  quorum: number
  lane: Lane
}

export type BuildFunctionParameters = FoundFunction & {
  directory: string
  sourceRoot: string
  settings: FunctionSettings
}

/** Bundles one function and makes its metadata. Runs no code of it. */
export async function buildFunction(
  parameters: BuildFunctionParameters,
): Promise<{ built: BuiltFunction; warnings: string[] }> {
  const { name, file, settings } = parameters
  const { bundle, methods: answered, warnings, nodeUses } = await bundleFunction(parameters)
  const isolation = chooseIsolation(parameters, nodeUses)
  const digest = sha256(bundle)
  const cid = digestToCid(digest)
  const metadata = makeMetadata(name, chooseMethods(file, settings, answered), settings, cid)
  const metadataBytes = encodeCanonicalJson(metadata as Parameters<typeof encodeCanonicalJson>[0])
  if (metadataBytes.length > LIMITS.metadataBytes) {
    throw new PeerHostError('config_invalid', `Description and schemas of “${name}” are too large.`, {
      details: [`${metadataBytes.length} bytes, the limit is ${LIMITS.metadataBytes}.`],
    })
  }
  const metadataDigest = sha256(metadataBytes)
  const limits =
    LIMITS_CLASSES.find((candidate) => candidate.name === (settings.limits ?? 'small')) ?? LIMITS_CLASSES[0]
  const quorum = settings.quorum ?? 1
  const built: BuiltFunction = {
    name,
    file,
    bundle,
    digest,
    cid,
    metadata,
    metadataBytes,
    metadataDigest,
    metadataCid: digestToCid(metadataDigest),
    price: parseUnits(settings.price ?? '0', 6),
    ...(settings.payee ? { payee: getAddress(settings.payee) } : {}),
    paymentMode: settings.paymentMode ?? 'after',
    limitsClass: limits.id,
    fee: limits.fee * BigInt(quorum),
    flags:
      (settings.deterministic ? DEPLOYMENT_FLAGS.deterministic : 0) | accessFlags(metadata) | isolationFlags(isolation),
    quorum,
    lane: settings.lane ?? 'attested',
  }
  return { built, warnings }
}

/** The level that was asked for, or the cheapest that can run it. Throws for one that cannot. */
function chooseIsolation({ name, settings }: BuildFunctionParameters, nodeUses: readonly string[]): IsolationLevel {
  const { isolation = nodeUses.length > 0 ? 'process' : 'context', deterministic } = settings
  if (nodeUses.length > 0 && (isolation === 'context' || isolation === 'shared'))
    throw new PeerHostError(
      'build_failed',
      `The function “${name}” needs Node, which the level ${isolation} has not.`,
      {
        details: [...nodeUses],
        hint: 'Use what the web platform has, such as crypto.subtle and Uint8Array, or set isolation to "process".',
      },
    )
  if (isolation === 'shared' && deterministic)
    throw new PeerHostError('config_invalid', `The function “${name}” cannot be deterministic and share its memory.`, {
      hint: 'Take one of the two out of its settings: what one call leaves behind changes the next.',
    })
  return isolation
}

function accessFlags({ network, env }: FunctionMetadata): number {
  const takesSecrets = env !== undefined || (network !== undefined && secretsOf(network).length > 0)
  return (
    (network ? DEPLOYMENT_FLAGS.network : 0) |
    (env ? DEPLOYMENT_FLAGS.environment : 0) |
    (takesSecrets ? DEPLOYMENT_FLAGS.secrets : 0)
  )
}

function makeMetadata(
  name: string,
  methods: FunctionMethod[],
  settings: FunctionSettings,
  bundleCid: string,
): FunctionMetadata {
  return {
    v: 1,
    name,
    description: settings.description ?? '',
    methods,
    ...(settings.input ? { input: settings.input } : {}),
    ...(settings.output ? { output: settings.output } : {}),
    ...(settings.network ? { network: networkAccessOf(settings.network) } : {}),
    ...(settings.env ? { env: [...settings.env].sort() } : {}),
    ...(settings.trustedWorkers ? { trustedWorkers: settings.trustedWorkers.map((one) => getAddress(one)) } : {}),
    runtime: 'node24',
    bundleCid,
  }
}

function chooseMethods(file: string, settings: FunctionSettings, answered: FunctionMethod[]): FunctionMethod[] {
  const chosen = answered.filter((method) => settings.methods?.includes(method) ?? true)
  const missing = settings.methods?.filter((method) => !answered.includes(method)) ?? []
  if (missing.length === 0) return chosen
  throw new PeerHostError('config_invalid', `${file} does not answer every method of its settings.`, {
    details: missing.map((method) => `${method}: the file exports neither ${method} nor a default handler.`),
    hint: 'Export the missing handlers, or take the methods out of the settings.',
  })
}
