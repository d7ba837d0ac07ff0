import { canonicalRequest, encodeRequest, hashInput } from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { Incoming } from './incoming.ts'
import type { Target } from './resolve.ts'

/** The request as everyone after the gateway sees it: these bytes are hashed, sealed, sent and run, and never encoded again. */
export type Canonical = { bytes: Uint8Array; inputHash: Hex }

/** Applies the protocol's policies to a request, once. Throws `request_invalid` or `request_too_large`. */
export function canonicalise({ rest }: Target, { method, query, headers, body }: Incoming): Canonical {
  const bytes = encodeRequest(canonicalRequest({ method, path: rest, query, headers, body }))
  return { bytes, inputHash: hashInput(bytes) }
}
