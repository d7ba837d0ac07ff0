import { type Hex, hashTypedData, keccak256 } from 'viem'
import { z } from 'zod'
import { decodeCanonicalJson, encodeCanonicalJson } from './canonicalJson.ts'
import { eip712Domain, type ProtocolDomain } from './domain.ts'
import { PeerHostError } from './errors.ts'
import type { HeaderPair } from './headers.ts'

/** Why an outgoing call has no response. The function sees it as a failed fetch with this code in its cause. */
export const egressRefusalCodes = [
  'egress_not_declared',
  'egress_url_refused',
  'egress_call_invalid',
  'egress_host_not_allowed',
  'egress_address_refused',
  'egress_redirect_refused',
  'egress_too_many_calls',
  'egress_request_too_large',
  'egress_response_too_large',
  'egress_budget_spent',
  'egress_timed_out',
  'egress_unreachable',
  'egress_response_refused',
  'egress_secret_missing',
  'egress_secret_reflected',
  'egress_interrupted',
  'egress_diverged',
] as const
export type EgressRefusalCode = (typeof egressRefusalCodes)[number]

export type EgressRefusal = {
  readonly v: 1
  readonly type: 'refused'
  readonly code: EgressRefusalCode
  readonly message: string
}

/** What came of an outgoing call, as it is recorded and given to every worker of the request. */
export type EgressAnswer =
  | {
      readonly v: 1
      readonly type: 'answered'
      readonly status: number
      readonly headers: readonly HeaderPair[]
      /** In base64. */
      readonly body: string
      /** Where the answer came from, after redirects. */
      readonly url: string
      readonly redirected: boolean
    }
  | EgressRefusal

const schema = z.discriminatedUnion('type', [
  z.strictObject({
    v: z.literal(1),
    type: z.literal('answered'),
    status: z.int().min(200).max(599),
    headers: z.array(z.tuple([z.string(), z.string()])),
    body: z.base64(),
    url: z.string(),
    redirected: z.boolean(),
  }),
  z.strictObject({
    v: z.literal(1),
    type: z.literal('refused'),
    code: z.enum(egressRefusalCodes),
    message: z.string().max(500),
  }),
])

/** Answer → the bytes that are recorded, hashed and sent. */
export function encodeEgressAnswer(answer: EgressAnswer): Uint8Array {
  return encodeCanonicalJson(answer)
}

/** The bytes → the answer. Throws `request_invalid`. */
export function decodeEgressAnswer(bytes: Uint8Array): EgressAnswer {
  const parsed = schema.safeParse(decodeCanonicalJson(bytes))
  if (parsed.success) return parsed.data
  throw new PeerHostError('request_invalid', 'The bytes are not the answer to an outgoing call.')
}

/** keccak256 of the canonical answer's bytes. */
export function hashEgressAnswer(bytes: Uint8Array): Hex {
  return keccak256(bytes)
}

/** Signed by the requester: this answer, and no other, belongs to this call of this request. */
export type EgressTranscript = {
  protocolVersion: number
  requestId: Hex
  /** Counts the calls of one execution from 0. */
  index: number
  callDigest: Hex
  answerDigest: Hex
}

export const egressTranscriptTypes = {
  EgressTranscript: [
    { name: 'protocolVersion', type: 'uint8' },
    { name: 'requestId', type: 'bytes32' },
    { name: 'index', type: 'uint32' },
    { name: 'callDigest', type: 'bytes32' },
    { name: 'answerDigest', type: 'bytes32' },
  ],
} as const

/** Digest of an `EgressTranscript`; off chain only. */
export function hashEgressTranscript(domain: ProtocolDomain, message: EgressTranscript): Hex {
  return hashTypedData({
    domain: eip712Domain(domain),
    types: egressTranscriptTypes,
    primaryType: 'EgressTranscript',
    message,
  })
}
