import type { Frame, FrameHeader, FrameLimits } from './frames.ts'
import { variations } from './variations.ts'

/**
 * What separates one execution of a deployment from the next. `container`: this supervisor runs one and is thrown away;
 * `process`: each has a process of its own; `context`: each has a V8 context of its own in a process that others had
 * before; `shared`: what one leaves behind, the next one finds.
 */
export const isolations = ['context', 'process', 'container', 'shared'] as const
export type Isolation = (typeof isolations)[number]

/** What the worker tells a supervisor once, with the bundle as body. */
export type Settings = {
  readonly isolation: Isolation
  /** Executions at one time. */
  readonly slots: number
  readonly timeoutMs: number
  /** Memory of one execution beside what all Node processes share. */
  readonly memoryBytes: number
  readonly logBytes: number
  readonly responseBodyBytes: number
}

/** One execution, with the canonical request's bytes as body. */
export type Run = {
  readonly id: number
  /** What the function's clock shows when it begins, in milliseconds since 1970. */
  readonly clockMs: number
  /** 32 bytes, lower-case hex with `0x`. */
  readonly seed: string
  /** Number of a variation, for a juror's runs. Absent: the ordinary run. */
  readonly variation?: number
  /** The values that the handler sees, for its host. What the worker passes on is `envelope`. */
  readonly env?: Readonly<Record<string, string>>
  /** The same, sealed for the key that the supervisor made for this execution. */
  readonly envelope?: Envelope
  /** Whether somebody answers its outgoing calls. */
  readonly hasNetwork?: boolean
}

/**
 * An environment that only the sandbox reads: JSON of names and values under HPKE. `context`: what it is bound to. All
 * three are base64.
 */
export type Envelope = { readonly context: string; readonly encapsulatedKey: string; readonly sealed: string }

/**
 * How an execution ended. `cancelled`: the worker asked for it. `lost`: the host died before any user code ran, so it says
 * nothing about the function.
 */
export const ends = [
  'completed',
  'threw',
  'bad-module',
  'output-too-large',
  'timed-out',
  'out-of-memory',
  'cancelled',
  'lost',
] as const
export type End = (typeof ends)[number]

/** Why an execution `threw`: each has one fixed sentence, the same on every machine. */
export const throwReasons = ['error', 'exited', 'no-response'] as const
export type ThrowReason = (typeof throwReasons)[number]

/** The parts of a response, as a host read them. */
export type Answer = { readonly status: number; readonly headers: readonly (readonly [string, string])[] }

/** One ended execution. The body of its frame is the kept log, then the response's body. */
export type Ended = {
  readonly id: number
  readonly end: End
  readonly reason: ThrowReason
  readonly answer: Answer | undefined
  readonly durationMs: number
  /** Bytes that the function wrote to stdout and stderr. */
  readonly logBytes: number
  /** How many of them are in the body. */
  readonly keptLogBytes: number
}

/** What came back from outside: `text` is the head as JSON, or the message of the error named `error`. */
export type Fetched = {
  readonly call: number
  readonly text: string
  readonly error: string
  readonly body: Uint8Array
}
/** One outgoing call of an execution, numbered by its host. `head` is JSON of method, url and headers, and may be a lie. */
export type Fetch = { readonly call: number; readonly head: string; readonly body: Uint8Array }

export type ToSupervisor =
  /** What is known before there is a bundle: hosts start, and wait for it. */
  | { readonly type: 'prepare'; readonly settings: Settings }
  | { readonly type: 'configure'; readonly settings: Settings; readonly bundle: Uint8Array }
  /** Asks for the key that the environment of an execution to come is to be sealed for. */
  | { readonly type: 'key'; readonly id: number }
  | { readonly type: 'run'; readonly run: Run; readonly request: Uint8Array }
  | { readonly type: 'fetched'; readonly id: number; readonly fetched: Fetched }
  | { readonly type: 'cancel'; readonly id: number }

export type FromSupervisor =
  /** A host is ready to take an execution. */
  | { readonly type: 'ready' }
  | { readonly type: 'ended'; readonly ended: Ended; readonly log: Uint8Array; readonly body: Uint8Array }
  | { readonly type: 'fetch'; readonly id: number; readonly fetch: Fetch }
  /** An X25519 public key, base64. */
  | { readonly type: 'key'; readonly id: number; readonly publicKey: string }
  /** Something was left behind that only a new container gets rid of. */
  | { readonly type: 'worn' }

export type FromHost =
  /** It is loaded: what happens from here on is the function's doing. */
  | { readonly type: 'ready' }
  /** It has a realm for the next execution. */
  | { readonly type: 'prepared' }
  | { readonly type: 'log'; readonly chunk: Uint8Array }
  | { readonly type: 'fetch'; readonly fetch: Fetch }
  | { readonly type: 'answer'; readonly answer: Answer; readonly body: Uint8Array }
  | { readonly type: 'failed'; readonly end: (typeof hostEnds)[number]; readonly reason: ThrowReason }

/** The ends that a host may tell. */
const hostEnds = ['threw', 'bad-module', 'output-too-large', 'timed-out'] as const

const MiB = 1_048_576

/** What a supervisor and a host accept from above: they trust it, the limits only catch a broken stream. */
export const downwardLimits: FrameLimits = { headerBytes: MiB, bodyBytes: 16 * MiB }

/** Largest header of a host's frame. A response with more in its headers is `output-too-large`. */
export const answerHeaderBytes = MiB

/** What the supervisor accepts from a host, which may be lying. */
export function hostLimits(settings: Pick<Settings, 'logBytes' | 'responseBodyBytes'>): FrameLimits {
  return {
    headerBytes: answerHeaderBytes + 4_096,
    bodyBytes: Math.max(settings.responseBodyBytes, settings.logBytes) + 4 * MiB,
  }
}

/** What the worker accepts from a container, which may be lying. A host's header is passed on with the execution's number. */
export function supervisorLimits(settings: Settings): FrameLimits {
  return { headerBytes: answerHeaderBytes + 8_192, bodyBytes: settings.responseBodyBytes + settings.logBytes }
}

/** A frame of the worker as a message. Throws for anything else. */
export function readToSupervisor({ header, body }: Frame): ToSupervisor {
  if (header.type === 'prepare') return { type: 'prepare', settings: readSettings(header.settings) }
  if (header.type === 'configure') return { type: 'configure', settings: readSettings(header.settings), bundle: body }
  if (header.type === 'run') return { type: 'run', run: readRun(header.run), request: body }
  if (header.type === 'cancel' || header.type === 'key') return { type: header.type, id: identifier(header.id) }
  if (header.type === 'fetched') {
    const { text, error } = header
    const fetched = { call: identifier(header.call), text: string(text), error: string(error), body }
    return { type: 'fetched', id: identifier(header.id), fetched }
  }
  throw new Error('The supervisor does not know this message.')
}

function readSettings(value: unknown): Settings {
  const settings = record(value)
  return {
    isolation: oneOf(settings.isolation, isolations),
    slots: integer(settings.slots, 1, 256),
    timeoutMs: integer(settings.timeoutMs, 1, 3_600_000),
    memoryBytes: integer(settings.memoryBytes, MiB, 2 ** 40),
    logBytes: integer(settings.logBytes, 0, 2 ** 32),
    responseBodyBytes: integer(settings.responseBodyBytes, 0, 2 ** 31),
  }
}

/** One execution's terms. Throws unless each is what it should be. */
export function readRun(value: unknown): Run {
  const run = record(value)
  if (typeof run.seed !== 'string' || !/^0x[0-9a-f]{64}$/.test(run.seed))
    throw new Error('A seed is not 32 bytes of hex.')
  return {
    id: identifier(run.id),
    clockMs: integer(run.clockMs, 0, 8.64e15),
    seed: run.seed,
    ...(run.variation === undefined ? {} : { variation: integer(run.variation, 0, variations.length - 1) }),
    ...(run.env === undefined ? {} : { env: readEnv(run.env) }),
    ...(run.envelope === undefined ? {} : { envelope: readEnvelope(run.envelope) }),
    ...(run.hasNetwork === true ? { hasNetwork: true } : {}),
  }
}

/** Names and values of an environment. Throws for anything else. */
export function readEnv(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(record(value)).map(([name, text]) => [name, string(text)]))
}

function readEnvelope(value: unknown): Envelope {
  const { context, encapsulatedKey, sealed } = record(value)
  return { context: string(context), encapsulatedKey: string(encapsulatedKey), sealed: string(sealed) }
}

/** A frame of a supervisor as a message. Throws for anything else: then the container is not to be trusted. */
export function readFromSupervisor({ header, body }: Frame): FromSupervisor {
  if (header.type === 'ready' || header.type === 'worn') return { type: header.type }
  if (header.type === 'fetch') return { type: 'fetch', id: identifier(header.id), fetch: readFetch(header, body) }
  if (header.type === 'key')
    return { type: 'key', id: identifier(header.id), publicKey: readPublicKey(header.publicKey) }
  if (header.type !== 'ended') throw new Error('The worker does not know this message.')
  const end = oneOf(header.end, ends)
  const keptLogBytes = integer(header.keptLogBytes, 0, body.length)
  return {
    type: 'ended',
    ended: {
      id: identifier(header.id),
      end,
      reason: oneOf(header.reason, throwReasons),
      answer: end === 'completed' ? readAnswer(header) : undefined,
      durationMs: integer(header.durationMs, 0, Number.MAX_SAFE_INTEGER),
      logBytes: integer(header.logBytes, 0, Number.MAX_SAFE_INTEGER),
      keptLogBytes,
    },
    log: body.subarray(0, keptLogBytes),
    body: body.subarray(keptLogBytes),
  }
}

/** A frame of a host as a message. Throws for anything else. */
export function readFromHost({ header, body }: Frame): FromHost {
  if (header.type === 'ready' || header.type === 'prepared') return { type: header.type }
  if (header.type === 'log') return { type: 'log', chunk: body }
  if (header.type === 'fetch') return { type: 'fetch', fetch: readFetch(header, body) }
  if (header.type === 'answer') return { type: 'answer', answer: readAnswer(header), body }
  if (header.type !== 'failed') throw new Error('The supervisor does not know this message.')
  return {
    type: 'failed',
    end: oneOf(header.end, hostEnds),
    reason: oneOf(header.reason, throwReasons),
  }
}

function readPublicKey(value: unknown): string {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]{43}=$/.test(value))
    throw new Error('A key is not 32 bytes of base64.')
  return value
}

function readFetch(header: FrameHeader, body: Uint8Array): Fetch {
  return { call: identifier(header.call), head: string(header.head), body }
}

function readAnswer(header: FrameHeader): Answer {
  if (!Array.isArray(header.headers)) throw new Error('The headers of an answer are not a list.')
  return {
    status: integer(header.status, 200, 599),
    headers: header.headers.map((pair: unknown) => {
      const [name, value] = Array.isArray(pair) && pair.length === 2 ? pair : []
      if (typeof name !== 'string' || typeof value !== 'string') throw new Error('A header is not a pair of strings.')
      return [name, value] as const
    }),
  }
}

function record(value: unknown): FrameHeader {
  if (typeof value !== 'object' || value === null) throw new Error('A part of a message is not an object.')
  return value as FrameHeader
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw new Error('A text of a message is not a string.')
  return value
}

function identifier(value: unknown): number {
  return integer(value, 0, Number.MAX_SAFE_INTEGER)
}

function integer(value: unknown, minimum: number, maximum: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < minimum || value > maximum)
    throw new Error(`A number of a message is not an integer from ${minimum} to ${maximum}.`)
  return value
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value)
  if (found === undefined) throw new Error(`A word of a message is none of: ${allowed.join(', ')}.`)
  return found
}
