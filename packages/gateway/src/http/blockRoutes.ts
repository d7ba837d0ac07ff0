import {
  cidToDigest,
  fromBase64,
  hashBlockUpload,
  LIMITS,
  PeerHostError,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  type Signing,
  sameHex,
} from '@peerhost/protocol'
import { type BlockStore, hashBlock } from '@peerhost/storage'
import type { Request } from 'express'
import { type Address, getAddress, type Hex } from 'viem'
import { z } from 'zod'
import { corsHeaders } from './cors.ts'
import { readBody } from './readBody.ts'
import { type Exchange, write, writeJson } from './write.ts'

export type BlockRouteDeps = {
  store: BlockStore
  signing: Signing
  protocolDomain: ProtocolDomain
  nowSeconds: () => number
  bodyTimeoutMs: number
  /** Who may store blocks here; everybody with a signature when it is not set. */
  mayUpload: ((address: Address) => boolean) | undefined
}

/** A signature is for now: an old one must not be a key for ever. */
const longestDeadlineSeconds = 3_600

/** `GET` and `HEAD /ipfs/:cid`: one raw block, as a trustless gateway serves it. */
export async function getBlock(deps: BlockRouteDeps, request: Request, exchange: Exchange): Promise<void> {
  const cid = String(request.params.cid)
  cidToDigest(cid)
  const bytes = await deps.store.get(cid, AbortSignal.timeout(10_000))
  if (!bytes) throw notHere()
  const headers = [
    ['content-type', 'application/vnd.ipld.raw'],
    ['cache-control', 'public, max-age=29030400, immutable'],
    ['etag', `"${cid}.raw"`],
    ['x-ipfs-path', `/ipfs/${cid}`],
    ['x-content-type-options', 'nosniff'],
    // Never rendered here: what people store is not this site's content.
    ['content-disposition', `attachment; filename="${cid}.bin"`],
  ] as const
  write(exchange, 200, [...headers, ...corsHeaders()], bytes)
}

/** `PUT /ipfs/:cid`: stores a block for whoever signs for it. Throws `upload_unauthorized`, `bundle_mismatch`, `request_too_large`. */
export async function putBlock(deps: BlockRouteDeps, request: Request, exchange: Exchange): Promise<void> {
  const cid = String(request.params.cid)
  const digest = cidToDigest(cid)
  await authorise(deps, request.headers.authorization, digest)
  const bytes = await readBody(request, { maxBytes: LIMITS.bundleBytes, timeoutMs: deps.bodyTimeoutMs })
  if (!sameHex(hashBlock(bytes), digest))
    throw new PeerHostError('bundle_mismatch', 'The bytes are not the block of this CID.')
  await deps.store.put(bytes, AbortSignal.timeout(10_000))
  writeJson(exchange, 201, { cid, bytes: bytes.length })
}

const authorization = z.strictObject({
  address: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
  deadline: z.int().nonnegative(),
  signature: z.string().regex(/^0x[0-9a-fA-F]{130}$/),
})

async function authorise(deps: BlockRouteDeps, header: string | undefined, digest: Hex): Promise<void> {
  const { address, deadline, signature } = parseAuthorization(header)
  const now = deps.nowSeconds()
  if (deadline < now || deadline > now + longestDeadlineSeconds)
    throw unauthorised(`The signature’s deadline is over or more than ${longestDeadlineSeconds} seconds away.`)
  const message = hashBlockUpload(deps.protocolDomain, { protocolVersion: PROTOCOL_VERSION, digest, deadline })
  const signer = await deps.signing.recover(message, signature as Hex)
  if (!signer || !sameHex(signer, address as Hex)) throw unauthorised('The signature is not of this wallet and block.')
  if (deps.mayUpload && !deps.mayUpload(getAddress(address.toLowerCase())))
    throw unauthorised('This wallet may not store blocks here.')
}

function parseAuthorization(header: string | undefined): z.output<typeof authorization> {
  const [, encoded] = /^PeerHost ([A-Za-z0-9+/=]{1,2000})$/.exec(header ?? '') ?? []
  if (encoded === undefined) throw unauthorised('The upload is not signed.')
  try {
    return authorization.parse(JSON.parse(new TextDecoder().decode(fromBase64(encoded))))
  } catch {
    throw unauthorised('The authorization is not base64 of address, deadline and signature.')
  }
}

function unauthorised(message: string): PeerHostError {
  return new PeerHostError('upload_unauthorized', message, {
    hint: 'Sign a BlockUpload with the deploying wallet and send it as “Authorization: PeerHost …”.',
  })
}

function notHere(): PeerHostError {
  return new PeerHostError('receipt_not_found', 'This gateway does not hold the block.', {
    hint: 'Ask another source.',
  })
}
