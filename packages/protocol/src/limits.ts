/**
 * Every limit of the network, once. Gateway, worker, bundler and local development enforce these same numbers;
 * `peerhost limits` lists them. Units are in the names.
 */
export const LIMITS = {
  /** Largest bundle that is stored as one raw block. */
  bundleBytes: 1_048_576,
  /** Largest metadata document (description and schemas) of a function. */
  metadataBytes: 65_536,
  /** Largest request body a gateway accepts. */
  requestBodyBytes: 1_048_576,
  /** Largest canonical request, after encoding. */
  canonicalRequestBytes: 2_097_152,
  /** Largest path (the part after the function's own URL), in characters. */
  pathCharacters: 2_048,
  /** Largest query string, in characters. */
  queryCharacters: 8_192,
  /** Most header pairs that enter the canonical request. */
  headerPairs: 64,
  /** Largest single header value, in characters. */
  headerValueCharacters: 8_192,
  /** Largest response body of a function. */
  responseBodyBytes: 1_048_576,
  /** Largest canonical result, after encoding. */
  canonicalResultBytes: 2_097_152,
  /** Most that a function may write to stdout and stderr; more ends it as `output-too-large`. */
  logBytes: 1_048_576,
  /** Input that may travel in calldata on the confirmed lane. */
  calldataInputBytes: 8_192,
  /** A worker refuses a ticket whose `issuedAt` is further than this from its own clock. */
  clockSkewSeconds: 30,
  /** Longest time from `issuedAt` to `deadline`. */
  ticketLifetimeSeconds: 300,
  /** How long after the deadline a ticket may still be settled. */
  settlementGraceSeconds: 3_600,
  /** Length of an epoch: credit caps and seats are counted per epoch. */
  epochSeconds: 3_600,
  /** How long after a price change a payment for the old price is still taken. */
  quoteGraceSeconds: 60,
  /** Most requests in one settlement transaction. */
  settlementBatchItems: 50,
  /** Most workers that must agree on one request. */
  quorum: 7,
  /** Most commitments in one commit set: the quorum and two more, with room for a larger committee. */
  quorumCommitments: 16,
  /** How far sequence numbers of drawn seats may run ahead of those that are consumed. */
  sequenceWindow: 512,
  /** Longest project or function name. */
  nameCharacters: 64,
  /** Most functions in one deployment. */
  functionsPerDeployment: 64,
  /** Most hosts that one function may declare. */
  egressHosts: 16,
  /** Most outgoing calls of one execution, whatever a function declares. */
  egressCalls: 32,
  /** Outgoing calls of one execution when its function does not say how many. */
  egressDefaultCalls: 8,
  /** Longest URL of an outgoing call, in characters. */
  egressUrlCharacters: 8_192,
  /** Largest body of one outgoing call. */
  egressRequestBytes: 1_048_576,
  /** Largest body that comes back from one outgoing call, after decompression. */
  egressResponseBytes: 2_097_152,
  /** Bodies of all outgoing calls of one execution, both ways together. */
  egressTotalBytes: 8_388_608,
  /** Longest time of one outgoing call, redirects included, in milliseconds. */
  egressCallMs: 10_000,
  /** Most redirects that one outgoing call follows. */
  egressRedirects: 3,
  /** Most operators that a function names as those that may run it. */
  trustedWorkers: 64,
  /** Most secrets of one project. */
  secretsPerProject: 64,
  /** Most projects of one wallet that hold secrets on one gateway. */
  secretProjectsPerOwner: 64,
  /** Shortest secret: what is shorter stands in answers by chance and is guessed. */
  secretLeastCharacters: 8,
  /** Longest secret, in characters. */
  secretCharacters: 4_096,
  /** Largest frame on the wire between gateway and worker. */
  wireFrameBytes: 8_388_608,
} as const

/** What one execution may use. `fee` is what the owner pays the network for it, in atomic units of the settlement token. */
export type LimitsClass = {
  readonly id: number
  readonly name: string
  readonly timeoutMs: number
  readonly memoryBytes: number
  readonly cpus: number
  readonly pids: number
  readonly tmpBytes: number
  readonly fee: bigint
}

const MiB = 1_048_576

export const LIMITS_CLASSES = [
  { id: 1, name: 'small', timeoutMs: 5_000, memoryBytes: 128 * MiB, cpus: 1, pids: 64, tmpBytes: 16 * MiB, fee: 100n },
  {
    id: 2,
    name: 'medium',
    timeoutMs: 15_000,
    memoryBytes: 256 * MiB,
    cpus: 1,
    pids: 64,
    tmpBytes: 32 * MiB,
    fee: 400n,
  },
  {
    id: 3,
    name: 'large',
    timeoutMs: 60_000,
    memoryBytes: 512 * MiB,
    cpus: 2,
    pids: 128,
    tmpBytes: 64 * MiB,
    fee: 2_000n,
  },
] as const satisfies readonly LimitsClass[]

/** The class with this id, or `undefined`: ids come from the chain and may be newer than this code. */
export function limitsClass(id: number): LimitsClass | undefined {
  return LIMITS_CLASSES.find((candidate) => candidate.id === id)
}
