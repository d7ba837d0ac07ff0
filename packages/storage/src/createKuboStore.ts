import { cidToDigest, LIMITS, PeerHostError } from '@peerhost/protocol'
import type { BlockStore } from './blockStore.ts'
import { assertBlock, assertBlockSize, blockCid } from './hashBlock.ts'
import { encodeForm, excerpt, exchange, type HttpAnswer, type HttpExchange } from './httpExchange.ts'

export type KuboStoreParameters = {
  /** Address of the RPC API, usually `http://127.0.0.1:5001`. */
  apiUrl: string
  /** Longest time for one block, read or written; the node searches the network this long. Default: 10 s. */
  timeoutMs?: number
}

/** An IPFS node (Kubo's RPC API) as a store. Blocks are pinned. */
export function createKuboStore({ apiUrl, timeoutMs = 10_000 }: KuboStoreParameters): BlockStore {
  const rpc = `${apiUrl.replace(/\/+$/, '')}/api/v0`
  const call = (path: string, rest: Pick<HttpExchange, 'maxBytes' | 'headers' | 'body' | 'signal'>) =>
    exchange({ url: `${rpc}${path}`, method: 'POST', timeoutMs, ...rest })
  return {
    name: 'kubo',
    async get(cid, signal) {
      cidToDigest(cid)
      // The node gives up first, so that "not found" and "no answer" stay two things.
      const nodeTimeoutMs = Math.ceil(timeoutMs * 0.9)
      const path = `/block/get?arg=${cid}&timeout=${nodeTimeoutMs}ms`
      const answer = await call(path, { maxBytes: LIMITS.bundleBytes, signal })
      if (isMissing(answer)) return undefined
      if (answer.status !== 200) throw failed(answer)
      assertBlock(cid, answer.body)
      return answer.body
    },
    async put(bytes, signal) {
      assertBlockSize(bytes)
      const cid = blockCid(bytes)
      const form = new FormData()
      form.set('data', new Blob([new Uint8Array(bytes)], { type: 'application/octet-stream' }), cid)
      const { body, contentType } = await encodeForm(form)
      const answer = await call('/block/put?cid-codec=raw&mhtype=sha2-256&pin=true', {
        headers: { 'content-type': contentType },
        body,
        maxBytes: 65_536,
        signal,
      })
      if (answer.status !== 200) throw failed(answer)
      const key = keyOf(answer)
      if (key !== cid) {
        throw new PeerHostError('bundle_mismatch', 'The IPFS node filed the block under another CID.', {
          details: [`Expected: ${cid}`, `Node: ${key}`],
        })
      }
      return cid
    },
  }
}

/** Kubo answers 500 for everything; only the text tells a block it lacks from a fault. */
function isMissing({ status, body }: HttpAnswer): boolean {
  return status === 500 && /not found|could not find|context deadline exceeded/i.test(excerpt(body))
}

function keyOf({ body }: HttpAnswer): string {
  try {
    const { Key: key } = JSON.parse(new TextDecoder().decode(body)) as { Key?: unknown }
    return String(key)
  } catch (cause) {
    throw new PeerHostError('bundle_unavailable', 'The IPFS node’s answer is not JSON.', {
      details: [excerpt(body)],
      cause,
    })
  }
}

function failed({ status, body }: HttpAnswer): PeerHostError {
  return new PeerHostError('bundle_unavailable', `The IPFS node answered ${status}.`, { details: [excerpt(body)] })
}
