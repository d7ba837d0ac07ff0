import { isIP } from 'node:net'
import {
  accessTo,
  type EgressAnswer,
  type EgressCall,
  type EgressRefusal,
  fillSecrets,
  fromBase64,
  type HeaderPair,
  type HostAccess,
  LIMITS,
  type NetworkAccess,
  toBase64,
} from '@peerhost/protocol'
import type { EgressNetwork } from './egressNetwork.ts'
import { type ExchangeResponse, exchange } from './exchange.ts'
import { reflectsSecret } from './reflectsSecret.ts'
import { refusal } from './refusal.ts'

/** What a call may do and use. */
export type CallTerms = {
  access: NetworkAccess
  /** The secrets of the ticket's environment by name. */
  secrets: ReadonlyMap<string, string>
  maxResponseBytes: number
  spend: (bytes: number) => boolean
}

type Hop = { url: URL; method: string; headers: readonly HeaderPair[]; body: Uint8Array; hasLeft: boolean }

/**
 * Makes a call, with the headers that the broker adds, and follows redirects: each hop is checked as the first was. Broker
 * headers go to the host that the function named and stop for good when the chain leaves it.
 */
export async function makeCall(
  network: EgressNetwork,
  call: EgressCall,
  terms: CallTerms,
  signal: AbortSignal,
): Promise<EgressAnswer> {
  const used: string[] = []
  let hop: Hop = { ...call, url: new URL(call.url), body: fromBase64(call.body), hasLeft: false }
  for (let count = 0; ; count++) {
    const response = await makeHop(network, hop, terms, count, used, signal)
    if (response.type === 'refused') return response
    if (response.location === undefined) return answerOf(response, hop, count, used)
    if (count === LIMITS.egressRedirects)
      return refusal('egress_redirect_refused', `The host redirects more than ${LIMITS.egressRedirects} times.`)
    const next = nextHop(hop, response.status, response.location)
    if (!next) return refusal('egress_redirect_refused', 'The host redirects to what is no https URL.')
    hop = next
  }
}

async function makeHop(
  network: EgressNetwork,
  hop: Hop,
  { access, secrets, maxResponseBytes, spend }: CallTerms,
  count: number,
  used: string[],
  signal: AbortSignal,
): Promise<ExchangeResponse | EgressRefusal> {
  const { url } = hop
  const entry = accessTo(access, url)
  if (!entry)
    return count === 0
      ? refusal('egress_host_not_allowed', 'The host is not among those that the function declares.')
      : refusal('egress_redirect_refused', 'The host redirects to one that the function does not declare.')
  const added = hop.hasLeft ? [] : brokerHeaders(entry, secrets, used)
  if ('code' in added) return added
  const address = await pin(network, url.hostname, signal)
  if (typeof address !== 'string') return address
  const own = hop.headers.filter(([name]) => !added.some(([other]) => other === name))
  const request = { ...hop, headers: [...own, ...added], address, maxBytes: maxResponseBytes, spend }
  return exchange(network, request, signal)
}

/** One resolution, checked whole; the connection then goes to exactly the address that is given back. */
async function pin(network: EgressNetwork, hostname: string, signal: AbortSignal): Promise<string | EgressRefusal> {
  const aborted = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  let addresses: readonly string[]
  try {
    addresses = await Promise.race([network.resolve(hostname), aborted])
  } catch {
    return signal.aborted
      ? refusal('egress_timed_out', 'The call took too long.')
      : refusal('egress_unreachable', 'The host name does not resolve.')
  }
  const [first] = addresses
  if (first === undefined) return refusal('egress_unreachable', 'The host name does not resolve.')
  // One private address among public ones is an attempt, not a mistake.
  if (!addresses.every((address) => isIP(address) !== 0 && network.mayConnect(address)))
    return refusal('egress_address_refused', 'The host name leads to an address that is not of the public internet.')
  return first
}

function brokerHeaders(
  { headers }: HostAccess,
  secrets: ReadonlyMap<string, string>,
  used: string[],
): HeaderPair[] | EgressRefusal {
  const pairs: HeaderPair[] = []
  for (const [name, template] of Object.entries(headers)) {
    let missing: string | undefined
    const value = fillSecrets(template, (key) => {
      const secret = secrets.get(key)
      if (secret === undefined) missing = key
      else used.push(secret)
      return secret ?? ''
    })
    if (missing !== undefined) return refusal('egress_secret_missing', `The secret ${missing} is not set.`)
    pairs.push([name, value])
  }
  return pairs
}

/** Headers that stand for the function's own authority: they do not follow a redirect to another origin. */
const ownAuthority = ['authorization', 'cookie']

/** The next request of a redirect, as fetch makes it. `undefined` when there is nowhere to go. */
function nextHop(hop: Hop, status: number, location: string): Hop | undefined {
  if (!URL.canParse(location, hop.url.href)) return undefined
  const url = new URL(location, hop.url.href)
  url.hash = ''
  if (url.protocol !== 'https:' || url.username !== '' || url.password !== '') return undefined
  if (url.href.length > LIMITS.egressUrlCharacters) return undefined
  const becomesGet =
    (status === 303 && hop.method !== 'GET' && hop.method !== 'HEAD') ||
    ((status === 301 || status === 302) && hop.method === 'POST')
  const leaves = url.origin !== hop.url.origin
  const headers = hop.headers.filter(
    ([name]) => !(leaves && ownAuthority.includes(name)) && !(becomesGet && name.startsWith('content-')),
  )
  return {
    url,
    method: becomesGet ? 'GET' : hop.method,
    headers,
    body: becomesGet ? new Uint8Array() : hop.body,
    hasLeft: hop.hasLeft || leaves,
  }
}

function answerOf(
  { status, headers, body }: ExchangeResponse,
  { url }: Hop,
  redirects: number,
  used: readonly string[],
): EgressAnswer {
  if (reflectsSecret(used, { headers, body, url: url.href }))
    return refusal('egress_secret_reflected', 'The answer holds a secret that was sent with the call.')
  const answer = { v: 1, type: 'answered', status, url: url.href, redirected: redirects > 0 } as const
  return { ...answer, headers, body: toBase64(body) }
}
