import { type Hex, keccak256 } from 'viem'
import { z } from 'zod'
import { type CanonicalBody, decodeBody, encodeBody } from './body.ts'
import { decodeCanonicalJson, encodeCanonicalJson } from './canonicalJson.ts'
import { PeerHostError } from './errors.ts'
import { canonicalHeaders, type HeaderPair, isResponseHeader } from './headers.ts'
import { LIMITS } from './limits.ts'

/** How an execution ended. A failure of the user's code is a result; the order fixes the number on chain (first is 1). */
export const outcomes = ['completed', 'threw', 'bad-module', 'output-too-large', 'timed-out', 'out-of-memory'] as const
export type Outcome = (typeof outcomes)[number]

/** What came out of an execution, as every worker that ran it must agree on. */
export type CanonicalResult = {
  readonly v: 1
  readonly outcome: Outcome
  readonly status: number
  readonly headers: readonly HeaderPair[]
  readonly body: CanonicalBody
}

/** What a function answered, before the response policies are applied. */
export type RawResult = { outcome: Outcome; status: number; headers: Iterable<HeaderPair>; body: Uint8Array }

const resultSchema = z.strictObject({
  v: z.literal(1),
  outcome: z.enum(outcomes),
  status: z.int().min(200).max(599),
  headers: z.array(z.tuple([z.string(), z.string()])),
  body: z.union([z.strictObject({ utf8: z.string() }), z.strictObject({ base64: z.string() })]),
})

/** The HTTP status that stands for an outcome in which the function gave no response of its own. */
export const outcomeStatus = {
  completed: 200,
  threw: 500,
  'bad-module': 500,
  'output-too-large': 500,
  'timed-out': 504,
  'out-of-memory': 507,
} as const satisfies Record<Outcome, number>

/** True for an outcome that depends on the machine: one signature never settles it. */
export function isResourceOutcome(outcome: Outcome): boolean {
  return outcome === 'timed-out' || outcome === 'out-of-memory'
}

/** The number that stands for the outcome in signed messages and on chain. Twin: `Messages.Outcome`. */
export function outcomeNumber(outcome: Outcome): number {
  return outcomes.indexOf(outcome) + 1
}

/** The outcome of a number from chain. Throws `receipt_invalid` for a number this version does not know. */
export function outcomeOf(number: number): Outcome {
  const outcome = outcomes[number - 1]
  if (!outcome) throw new PeerHostError('receipt_invalid', `There is no outcome ${number}.`)
  return outcome
}

/** A completed response with every policy applied. A body over the limit becomes the result `output-too-large`. */
export function canonicalResult(raw: RawResult): CanonicalResult {
  if (raw.body.length > LIMITS.responseBodyBytes) return failedResult('output-too-large')
  try {
    return {
      v: 1,
      outcome: raw.outcome,
      status: raw.status,
      headers: canonicalHeaders(raw.headers, isResponseHeader),
      body: encodeBody(raw.body),
    }
  } catch {
    return failedResult('output-too-large')
  }
}

/** The result of an execution without a response. `message` must be the same on every machine: no stack, no path, no time. */
export function failedResult(outcome: Exclude<Outcome, 'completed'>, message?: string): CanonicalResult {
  const problem = {
    code: `execution_${outcome.replaceAll('-', '_')}`,
    detail: message ?? failureDetail[outcome],
    status: outcomeStatus[outcome],
    title: failureTitle[outcome],
  }
  return {
    v: 1,
    outcome,
    status: outcomeStatus[outcome],
    headers: [['content-type', 'application/problem+json']],
    body: encodeBody(encodeCanonicalJson(problem)),
  }
}

/** Canonical result → the bytes that are hashed and sent. Done once, by the worker. */
export function encodeResult(result: CanonicalResult): Uint8Array {
  return encodeCanonicalJson(result)
}

/** The bytes → the result. Throws `request_invalid` unless they are canonical, `response_mismatch` for headers that may not leave. */
export function decodeResult(bytes: Uint8Array): CanonicalResult {
  if (bytes.length > LIMITS.canonicalResultBytes)
    throw new PeerHostError('request_too_large', 'The canonical result is too large.')
  const parsed = resultSchema.safeParse(decodeCanonicalJson(bytes))
  if (!parsed.success)
    throw new PeerHostError('request_invalid', 'The bytes are not a canonical result.', {
      details: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    })
  const result = parsed.data
  decodeBody(result.body)
  const kept = canonicalHeaders(result.headers, isResponseHeader)
  if (
    kept.length !== result.headers.length ||
    kept.some(([name, value], index) => name !== result.headers[index]?.[0] || value !== result.headers[index]?.[1])
  ) {
    throw new PeerHostError('response_mismatch', 'The result holds a header that a function may not set.')
  }
  return result
}

/** keccak256 of the canonical result's bytes. Twin: `Hashes.hashResult`. Vectors: `result.json`. */
export function hashResult(bytes: Uint8Array): Hex {
  return keccak256(bytes)
}

const failureTitle = {
  threw: 'The function threw',
  'bad-module': 'The bundle is not a function',
  'output-too-large': 'The function wrote too much',
  'timed-out': 'The function ran out of time',
  'out-of-memory': 'The function ran out of memory',
} as const

const failureDetail = {
  threw: 'The function ended with an error instead of a response.',
  'bad-module': 'The bundle could not be loaded, or exports no handler for this method.',
  'output-too-large': 'The response or the log is over the limit of the network.',
  'timed-out': 'The execution did not end within the time of its limits class.',
  'out-of-memory': 'The execution needed more memory than its limits class allows.',
} as const
