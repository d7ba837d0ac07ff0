import { type Lane, LIMITS, type LimitsClass, lanes, PeerHostError, type ProtocolTimes } from '@peerhost/protocol'
import type { Terms } from '../payment/payment.ts'
import type { Resource } from '../payment/x402.ts'
import { acceptedTerms, currentTerms, type FunctionRecord, servableLimits } from '../registry/functionRecord.ts'
import { headerOf, type Incoming } from './incoming.ts'
import type { Target } from './resolve.ts'

/** What one call costs and under which limits it runs. A pure function of the registry's state, the request and the time. */
export type Quote = {
  record: FunctionRecord
  limits: LimitsClass
  lane: Lane
  terms: Terms
  /** Current terms first, then those of the grace window. */
  accepted: readonly Terms[]
  resource: Resource
  /** From `issuedAt` to `deadline` of the ticket. */
  lifetimeSeconds: number
}

export type QuoteDeps = {
  functionUrl: (record: FunctionRecord) => string
  nowSeconds: () => number
  times: Pick<ProtocolTimes, 'maximumTicketLifetime'>
}

/** A second worker may have to run it again; then queueing, and the payment's own time. */
const marginSeconds = 60
const descriptionCharacters = 500

/** Throws `runtime_unavailable` for what this gateway cannot serve and `request_invalid` for an unknown lane. */
export function quote(deps: QuoteDeps, { record, rest }: Target, incoming: Incoming): Quote {
  const limits = servableLimits(record)
  const lifetimeSeconds = lifetimeOf(deps, limits)
  return {
    record,
    limits,
    lane: laneOf(record, headerOf(incoming, 'peerhost-lane')),
    terms: currentTerms(record),
    accepted: acceptedTerms(record, deps.nowSeconds(), LIMITS.quoteGraceSeconds),
    resource: resourceOf(deps, record, rest, lifetimeSeconds),
    lifetimeSeconds,
  }
}

/** How long a ticket of these limits lives, and how long a payment for it has to be valid. */
export function lifetimeOf({ times }: Pick<QuoteDeps, 'times'>, { timeoutMs }: LimitsClass): number {
  return Math.min(Math.ceil(timeoutMs / 1_000) * 2 + marginSeconds, times.maximumTicketLifetime)
}

/** What is sold, as the challenge names it. */
export function resourceOf(
  deps: Pick<QuoteDeps, 'functionUrl'>,
  record: FunctionRecord,
  rest: string,
  maxTimeoutSeconds: number,
): Resource {
  return {
    url: `${deps.functionUrl(record)}${rest === '/' ? '' : rest}`.slice(0, 1_000),
    // Only printable ASCII: it goes into a header that other people's clients decode.
    description: (record.metadata?.description ?? '').replace(/[^\x20-\x7e]+/g, ' ').slice(0, descriptionCharacters),
    mimeType: 'application/json',
    maxTimeoutSeconds,
  }
}

function laneOf({ deployment }: FunctionRecord, wanted: string | undefined): Lane {
  if (wanted === undefined) return deployment.lane === 2 ? 'confirmed' : 'attested'
  const lane = lanes.find((one) => one === wanted)
  if (lane) return lane
  throw new PeerHostError('request_invalid', 'There is no such lane.', {
    hint: `PeerHost-Lane is ${lanes.join(' or ')}.`,
  })
}
