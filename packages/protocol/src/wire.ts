import { z } from 'zod'
import { PeerHostError } from './errors.ts'
import { addressSchema as address, bytes32Schema as bytes32, hexSchema as hex } from './hexSchema.ts'
import { LIMITS } from './limits.ts'
import { attestationSchema, ticketSchema } from './receipt.ts'

/**
 * What gateway and worker say to each other over their WebSocket, as JSON text, one message a frame. Bytes are base64.
 *
 * challenge → hello → welcome | refused, where each side signs the other's challenge; then `job` → (`declined` | `attested`), `job` may be followed by `cancel`;
 * in a quorum `job` → (`declined` | `committed`), and `open`, which holds the signed commit set, → `attested`;
 * `roll` → `rolled` | `roll-refused`; `input` → `input-given` | `input-unknown` for tickets that the worker saw on chain;
 * while a job runs, `egress` → `egress-answer` (a signed transcript) | `egress-failed` (there is no answer: the run is given up);
 * and `environment` → `environment-sealed` (a signed envelope for the sandbox's key) | `environment-failed` (the run is given up);
 * `settled` tells which requests were paid and where.
 */
const base64 = z.string().max(LIMITS.wireFrameBytes)
const count = z.int().nonnegative()
/** An X25519 public key: 32 bytes, base64. */
const publicKey = z.string().length(44)
/** Every secret of a project at its longest, each character escaped: it goes on in the header of a sandbox's frame. */
const envelope = z.string().max(786_432)
const callIndex = z.int().nonnegative().max(0xffff_ffff)

/** Why a worker does not run a job. A reason code of the operator's status as well. */
export const declineReasons = [
  'at-capacity',
  'draining',
  'clock-skew',
  'deadline-too-close',
  'ticket-signature',
  'ticket-invalid',
  'function-unknown',
  'function-mismatch',
  'runtime-unsupported',
  'limits-class-unknown',
  'fee-too-low',
  'credit-exhausted',
  'input-mismatch',
  'bundle-unavailable',
  'bundle-mismatch',
  'quorum-unsupported',
  'not-seated',
  'requester-not-bonded',
  'commit-set-invalid',
  'sandbox-failed',
  'egress-unavailable',
  'egress-diverged',
  'environment-unavailable',
] as const
export type DeclineReason = (typeof declineReasons)[number]

const gatewayMessage = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('challenge'),
    gateway: address,
    chainId: count,
    coordinator: address,
    challenge: bytes32,
  }),
  z.strictObject({ type: z.literal('welcome'), operator: address, signature: hex }),
  z.strictObject({ type: z.literal('refused'), reason: z.string().max(500) }),
  z.strictObject({
    type: z.literal('job'),
    requestId: bytes32,
    ticket: ticketSchema,
    signature: hex,
    salt: bytes32,
    input: base64,
  }),
  z.strictObject({ type: z.literal('cancel'), requestId: bytes32 }),
  z.strictObject({
    type: z.literal('open'),
    requestId: bytes32,
    commitments: z.array(bytes32).min(1).max(LIMITS.quorumCommitments),
    signature: hex,
  }),
  z.strictObject({
    type: z.literal('roll'),
    batchId: z.string().max(64),
    requestIds: z.array(bytes32).min(1).max(1_000),
  }),
  z.strictObject({ type: z.literal('input-given'), requestId: bytes32, salt: bytes32, input: base64 }),
  z.strictObject({ type: z.literal('input-unknown'), requestId: bytes32 }),
  z.strictObject({
    type: z.literal('egress-answer'),
    requestId: bytes32,
    index: callIndex,
    answer: base64,
    signature: hex,
  }),
  z.strictObject({
    type: z.literal('egress-failed'),
    requestId: bytes32,
    index: callIndex,
    reason: z.string().max(500),
  }),
  z.strictObject({
    type: z.literal('environment-sealed'),
    requestId: bytes32,
    encapsulatedKey: publicKey,
    sealed: envelope,
    signature: hex,
  }),
  z.strictObject({ type: z.literal('environment-failed'), requestId: bytes32, reason: z.string().max(500) }),
  z.strictObject({ type: z.literal('settled'), transaction: bytes32, requestIds: z.array(bytes32).max(1_000) }),
])

const usage = z.strictObject({
  durationMs: z.number().nonnegative(),
  queueMs: z.number().nonnegative(),
  logBytes: count,
})

const workerMessage = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    executionKey: address,
    signature: hex,
    origin: z.string().max(300),
    challenge: bytes32,
    capacity: count,
    runtimeDigests: z.array(bytes32).max(16),
    agent: z.string().max(100),
  }),
  z.strictObject({ type: z.literal('declined'), requestId: bytes32, reason: z.enum(declineReasons) }),
  z.strictObject({ type: z.literal('committed'), requestId: bytes32, commitment: bytes32, signature: hex }),
  z.strictObject({
    type: z.literal('attested'),
    requestId: bytes32,
    attestation: attestationSchema,
    signature: hex,
    result: base64,
    usage,
    commitmentSalt: bytes32.optional(),
  }),
  z.strictObject({ type: z.literal('rolled'), batchId: z.string().max(64), signature: hex }),
  z.strictObject({ type: z.literal('roll-refused'), batchId: z.string().max(64), reason: z.string().max(500) }),
  z.strictObject({ type: z.literal('input'), requestId: bytes32 }),
  z.strictObject({ type: z.literal('egress'), requestId: bytes32, index: callIndex, call: base64 }),
  z.strictObject({ type: z.literal('environment'), requestId: bytes32, publicKey }),
  z.strictObject({ type: z.literal('capacity'), capacity: count }),
])

export type GatewayMessage = z.output<typeof gatewayMessage>
export type WorkerMessage = z.output<typeof workerMessage>
/** Usage as the worker reports it: beside the attestation, outside agreement. It moves no money. */
export type Usage = z.output<typeof usage>

/** Message → frame. */
export function encodeWire(message: GatewayMessage | WorkerMessage): string {
  return JSON.stringify(message, (_, value) => (typeof value === 'bigint' ? value.toString() : value))
}

/** Frame from a gateway → message. Throws `request_invalid`, never anything else. */
export function decodeGatewayMessage(frame: string): GatewayMessage {
  return parse(gatewayMessage, frame)
}

/** Frame from a worker → message. Throws `request_invalid`, never anything else. */
export function decodeWorkerMessage(frame: string): WorkerMessage {
  return parse(workerMessage, frame)
}

function parse<T>(schema: z.ZodType<T>, frame: string): T {
  let value: unknown
  try {
    value = JSON.parse(frame)
  } catch (cause) {
    throw new PeerHostError('request_invalid', 'The frame is not JSON.', { cause })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new PeerHostError('request_invalid', 'The frame is not a message of this protocol.', {
    details: parsed.error.issues.slice(0, 5).map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  })
}
