import { cidToDigest, LIMITS, PeerHostError } from '@peerhost/protocol'
import type { BlockSource } from './blockStore.ts'
import { assertBlock } from './hashBlock.ts'
import { excerpt, exchange } from './httpExchange.ts'

export type HttpSourceParameters = {
  /** Base address of a trustless gateway, without `/ipfs`. */
  url: string
  /** Default: the origin of `url`. */
  name?: string
  /** Largest block, in bytes. Default: `LIMITS.bundleBytes`. */
  maxBytes?: number
  /** Longest time for one block. Default: 10 s. */
  timeoutMs?: number
  /** Sent with every request, for gateways that ask for a token. */
  headers?: Record<string, string>
}

/** Reads raw blocks from an IPFS trustless gateway (`GET /ipfs/<cid>?format=raw`) and verifies each one. */
export function createHttpSource(parameters: HttpSourceParameters): BlockSource {
  const { maxBytes = LIMITS.bundleBytes, timeoutMs = 10_000, headers = {} } = parameters
  const base = parameters.url.replace(/\/+$/, '')
  const name = parameters.name ?? new URL(base).origin
  return {
    name,
    async get(cid, signal) {
      cidToDigest(cid)
      const { status, body } = await exchange({
        // Both the parameter and the header: gateways and the caches before them look at one or the other.
        url: `${base}/ipfs/${cid}?format=raw`,
        method: 'GET',
        headers: { ...headers, accept: 'application/vnd.ipld.raw' },
        maxBytes,
        timeoutMs,
        // A token must not leave for another host.
        redirects: Object.keys(headers).length === 0 ? 3 : 0,
        signal,
      })
      if (status === 404 || status === 410) return undefined
      if (status !== 200) {
        throw new PeerHostError('bundle_unavailable', `${name} answered ${status}.`, { details: [excerpt(body)] })
      }
      assertBlock(cid, body)
      return body
    },
  }
}
