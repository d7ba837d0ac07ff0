import { CID } from 'multiformats/cid'
import * as Digest from 'multiformats/hashes/digest'
import { bytesToHex, type Hex, hexToBytes } from 'viem'
import { PeerHostError } from './errors.ts'

const rawCodec = 0x55
const sha256Code = 0x12

/** The CID (CIDv1, raw, base32) of the block whose sha2-256 is `digest`. */
export function digestToCid(digest: Hex): string {
  return CID.createV1(rawCodec, Digest.create(sha256Code, hexToBytes(digest))).toString()
}

/** The sha2-256 inside a CIDv1 of a raw block, in its base32 spelling. Throws `request_invalid` for any other CID. */
export function cidToDigest(text: string): Hex {
  let cid: CID
  try {
    cid = CID.parse(text)
  } catch (cause) {
    throw new PeerHostError('request_invalid', 'The text is not a CID.', { cause })
  }
  if (cid.version !== 1 || cid.code !== rawCodec || cid.multihash.code !== sha256Code || cid.toString() !== text) {
    throw new PeerHostError('request_invalid', 'The CID is not a CIDv1 of a raw sha2-256 block in base32.')
  }
  return bytesToHex(cid.multihash.digest)
}
