import {
  type BlockUpload,
  blockUploadTypes,
  digestToCid,
  type ErrorCode,
  eip712Domain,
  isErrorCode,
  PeerHostError,
  PROTOCOL_VERSION,
} from '@peerhost/protocol'
import type { Address, Hex, TypedDataDomain } from 'viem'
import type { BlockStore } from './blockStore.ts'
import { createHttpSource } from './createHttpSource.ts'
import { assertBlockSize, hashBlock } from './hashBlock.ts'
import { excerpt, exchange, type HttpAnswer } from './httpExchange.ts'

export type BlockUploadTypedData = {
  domain: TypedDataDomain
  types: typeof blockUploadTypes
  primaryType: 'BlockUpload'
  message: BlockUpload
}

export type GatewayStoreParameters = {
  /** Base address of a PeerHost gateway. */
  url: string
  chainId: number
  coordinator: Address
  /** The wallet that vouches for the upload. */
  address: Address
  signTypedData: (typedData: BlockUploadTypedData) => Promise<Hex>
  /** Longest time for one block, read or written. Default: 10 s. */
  timeoutMs?: number
  /** Milliseconds since 1970. */
  now?: () => number
}

/** How long an upload's signature is good for. */
const uploadSeconds = 300

/** A gateway as a store: reads are open to all, every upload is signed by a wallet (`BlockUpload`). */
export function createGatewayStore(parameters: GatewayStoreParameters): BlockStore {
  const { timeoutMs = 10_000 } = parameters
  const base = parameters.url.replace(/\/+$/, '')
  const source = createHttpSource({ url: base, timeoutMs })
  return {
    ...source,
    async put(bytes, signal) {
      assertBlockSize(bytes)
      const digest = hashBlock(bytes)
      const cid = digestToCid(digest)
      const answer = await exchange({
        url: `${base}/ipfs/${cid}`,
        method: 'PUT',
        headers: {
          authorization: await authorize(parameters, digest),
          'content-type': 'application/vnd.ipld.raw',
        },
        body: new Uint8Array(bytes),
        maxBytes: 65_536,
        timeoutMs,
        signal,
      })
      if (answer.status < 200 || answer.status >= 300) throw refused(source.name, answer)
      return cid
    },
  }
}

async function authorize(parameters: GatewayStoreParameters, digest: Hex): Promise<string> {
  const { address, chainId, coordinator, signTypedData, now = Date.now } = parameters
  const deadline = Math.floor(now() / 1_000) + uploadSeconds
  const signature = await signTypedData({
    domain: eip712Domain({ chainId, coordinator }),
    types: blockUploadTypes,
    primaryType: 'BlockUpload',
    message: { protocolVersion: PROTOCOL_VERSION, digest, deadline },
  })
  return `PeerHost ${Buffer.from(JSON.stringify({ address, deadline, signature })).toString('base64')}`
}

/** By status, for whatever stands before a gateway; the gateway itself names the code. */
const refusals: Record<number, ErrorCode> = {
  401: 'upload_unauthorized',
  403: 'upload_unauthorized',
  413: 'bundle_too_large',
  429: 'rate_limited',
}

function refused(name: string, { status, body }: HttpAnswer): PeerHostError {
  const problem = readProblem(body)
  const code = isErrorCode(problem.code) ? problem.code : (refusals[status] ?? 'bundle_unavailable')
  const details = [`${name} answered ${status}.`, typeof problem.detail === 'string' ? problem.detail : excerpt(body)]
  return code === 'upload_unauthorized'
    ? new PeerHostError(code, 'The gateway does not accept the upload.', {
        details,
        hint: 'Check that the wallet, the chain and the clock of this machine are those of the gateway.',
      })
    : new PeerHostError(code, 'The gateway did not keep the block.', { details })
}

function readProblem(body: Uint8Array): { code?: unknown; detail?: unknown } {
  try {
    return { ...(JSON.parse(new TextDecoder().decode(body)) as object) }
  } catch {
    return {}
  }
}
