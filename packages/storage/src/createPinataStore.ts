import { PeerHostError } from '@peerhost/protocol'
import type { BlockStore } from './blockStore.ts'
import { createHttpSource } from './createHttpSource.ts'
import { assertBlockSize, blockCid } from './hashBlock.ts'
import { encodeForm, excerpt, exchange } from './httpExchange.ts'

export type PinataStoreParameters = {
  /** API key with permission to write files. */
  jwt: string
  /** Default: `https://uploads.pinata.cloud/v3`. */
  apiUrl?: string
  /** Default: `https://gateway.pinata.cloud`. Blocks are verified, so any trustless gateway will do. */
  gatewayUrl?: string
  /** Longest time for one block, read or written. Default: 30 s. */
  timeoutMs?: number
}

/** Pinata (v3 API, public network) as a store. */
export function createPinataStore(parameters: PinataStoreParameters): BlockStore {
  const { jwt, apiUrl = 'https://uploads.pinata.cloud/v3', timeoutMs = 30_000 } = parameters
  const gatewayUrl = parameters.gatewayUrl ?? 'https://gateway.pinata.cloud'
  return {
    ...createHttpSource({ url: gatewayUrl, name: 'pinata', timeoutMs }),
    async put(bytes, signal) {
      assertBlockSize(bytes)
      const cid = blockCid(bytes)
      const form = await encodeForm(uploadForm(bytes, cid))
      const { status, body } = await exchange({
        url: `${apiUrl.replace(/\/+$/, '')}/files`,
        method: 'POST',
        headers: { authorization: `Bearer ${jwt}`, 'content-type': form.contentType },
        body: form.body,
        maxBytes: 65_536,
        timeoutMs,
        signal,
      })
      if (status === 401 || status === 403) {
        throw new PeerHostError('upload_unauthorized', 'Pinata does not accept the API key.', {
          details: [excerpt(body)],
          hint: 'Use a key that may write files.',
        })
      }
      if (status !== 200 && status !== 201) {
        throw new PeerHostError('bundle_unavailable', `Pinata answered ${status}.`, { details: [excerpt(body)] })
      }
      assertSameCid(cid, filedUnder(body))
      return cid
    },
  }
}

function uploadForm(bytes: Uint8Array, cid: string): FormData {
  const form = new FormData()
  form.set('network', 'public')
  // 1 MiB chunks and raw leaves: what fits in one of our blocks becomes exactly that block, with its CID.
  form.set('cid_version', 'unixfs-v1-2025')
  form.set('name', cid)
  form.set('file', new Blob([new Uint8Array(bytes)], { type: 'application/octet-stream' }), cid)
  return form
}

function filedUnder(body: Uint8Array): string {
  try {
    const { data } = JSON.parse(new TextDecoder().decode(body)) as { data?: { cid?: unknown } }
    if (typeof data?.cid === 'string') return data.cid
  } catch (cause) {
    throw new PeerHostError('bundle_unavailable', 'Pinata’s answer is not JSON.', { details: [excerpt(body)], cause })
  }
  throw new PeerHostError('bundle_unavailable', 'Pinata’s answer names no CID.', { details: [excerpt(body)] })
}

function assertSameCid(expected: string, actual: string): void {
  if (actual === expected) return
  throw new PeerHostError('bundle_mismatch', 'Pinata filed the block under another CID.', {
    details: [`Expected: ${expected}`, `Pinata: ${actual}`],
    hint: 'Workers could not find it. Use another store, or a Pinata account that stores raw blocks.',
  })
}
