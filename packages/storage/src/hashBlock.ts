import { createHash } from 'node:crypto'
import { cidToDigest, digestToCid, LIMITS, PeerHostError } from '@peerhost/protocol'
import type { Hex } from 'viem'

/** sha2-256 of the bytes: what is registered on chain as a bundle's digest. */
export function hashBlock(bytes: Uint8Array): Hex {
  return `0x${createHash('sha256').update(bytes).digest('hex')}`
}

/** CIDv1 (raw, sha2-256, base32) of the bytes as one block. */
export function blockCid(bytes: Uint8Array): string {
  return digestToCid(hashBlock(bytes))
}

/** Throws `bundle_mismatch` unless `bytes` are the block that `cid` names; `request_invalid` for any other kind of CID. */
export function assertBlock(cid: string, bytes: Uint8Array): void {
  const actual = hashBlock(bytes)
  if (actual === cidToDigest(cid)) return
  throw new PeerHostError('bundle_mismatch', 'The bytes are not the block that was asked for.', {
    details: [`Asked for: ${cid}`, `Received: ${digestToCid(actual)} (${bytes.length} bytes)`],
    hint: 'Ask another source: this one is broken or dishonest.',
  })
}

/** Throws `bundle_too_large` when `bytes` are more than one raw block may hold. */
export function assertBlockSize(bytes: Uint8Array, maxBytes: number = LIMITS.bundleBytes): void {
  if (bytes.length <= maxBytes) return
  throw new PeerHostError('bundle_too_large', `The block has ${bytes.length} bytes, the limit is ${maxBytes}.`)
}
