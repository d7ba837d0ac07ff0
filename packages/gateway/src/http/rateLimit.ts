import { PeerHostError } from '@peerhost/protocol'

/** Counts requests per address in fixed windows. In memory: a limit of one process, not of a fleet. */
export type RateLimit = {
  /** Counts one. Throws `rate_limited`; `headers` says how much is left, in the fields of the IETF draft. */
  take: (address: string) => { headers: [name: string, value: string][]; limited: PeerHostError | undefined }
}

const windowSeconds = 60
const mostAddresses = 50_000

/** `perMinute` 0 switches it off. Addresses of this machine are not limited: a proxy here has to pass the client's on. */
export function createRateLimit(options: { perMinute: number; nowMs: () => number }): RateLimit {
  const { perMinute, nowMs } = options
  const counts = new Map<string, { count: number; untilMs: number }>()
  const policy: [string, string] = ['ratelimit-policy', `"default";q=${perMinute};w=${windowSeconds}`]
  return {
    take: (address) => {
      if (perMinute === 0 || isLoopback(address)) return { headers: [], limited: undefined }
      const now = nowMs()
      let entry = counts.get(address)
      if (!entry || entry.untilMs <= now) {
        if (counts.size >= mostAddresses) forget(counts, now)
        entry = { count: 0, untilMs: now + windowSeconds * 1_000 }
        counts.set(address, entry)
      }
      entry.count++
      const secondsLeft = Math.ceil((entry.untilMs - now) / 1_000)
      const left = Math.max(0, perMinute - entry.count)
      const headers: [string, string][] = [policy, ['ratelimit', `"default";r=${left};t=${secondsLeft}`]]
      if (entry.count <= perMinute) return { headers, limited: undefined }
      headers.push(['retry-after', String(secondsLeft)])
      return {
        headers,
        limited: new PeerHostError('rate_limited', 'Too many requests from this address.', {
          hint: `Wait ${secondsLeft} seconds. Nothing was charged.`,
        }),
      }
    },
  }
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')
}

/** Drops windows that are over; when all are running, all, so that memory stays bounded under a flood of addresses. */
function forget(counts: Map<string, { untilMs: number }>, now: number): void {
  for (const [address, { untilMs }] of counts) if (untilMs <= now) counts.delete(address)
  if (counts.size >= mostAddresses) counts.clear()
}
