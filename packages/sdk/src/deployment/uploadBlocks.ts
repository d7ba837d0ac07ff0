import { type BlockStore, createGatewayStore } from '@peerhost/storage'
import { chainError } from '../chain/chainError.ts'
import { type Connection, requireAccount } from '../connection.ts'
import type { PlannedFunction } from './plan.ts'

/** One block on its way to one store. */
export type Upload = {
  function: string
  block: 'bundle' | 'metadata'
  cid: string
  store: string
  /** True when the store had it already. */
  skipped: boolean
}

const probeTimeoutMs = 10_000

/** Puts bundles and metadata into the gateway's store, and those that are new into every extra store as well. */
export async function uploadBlocks(
  connection: Connection,
  plan: readonly PlannedFunction[],
  parameters: { stores: readonly BlockStore[]; onUpload: (upload: Upload) => void; signal: AbortSignal | undefined },
): Promise<void> {
  const { stores, onUpload, signal } = parameters
  const gateway = gatewayStore(connection)
  for (const { built, change } of plan) {
    const blocks = [
      { block: 'bundle', cid: built.cid, bytes: built.bundle },
      { block: 'metadata', cid: built.metadataCid, bytes: built.metadataBytes },
    ] as const
    for (const { block, cid, bytes } of blocks) {
      signal?.throwIfAborted()
      const skipped = await gatewayHas(connection, cid, signal)
      if (!skipped) await gateway.put(bytes, signal)
      onUpload({ function: built.name, block, cid, store: gateway.name, skipped })
      if (change === 'unchanged') continue
      for (const store of stores) {
        await store.put(bytes, signal)
        onUpload({ function: built.name, block, cid, store: store.name, skipped: false })
      }
    }
  }
}

function gatewayStore(connection: Connection): BlockStore {
  const { account, walletClient } = requireAccount(connection, 'Uploading')
  return createGatewayStore({
    url: connection.gatewayUrl,
    chainId: connection.network.chainId,
    coordinator: connection.network.coordinator,
    address: account.address,
    signTypedData: async (typedData) => {
      try {
        return await walletClient.signTypedData({ account, ...typedData })
      } catch (cause) {
        throw chainError(cause, 'sign the upload')
      }
    },
  })
}

/** A block that is there already needs no second upload; a probe that fails is no answer, so the upload decides. */
async function gatewayHas({ fetch, gatewayUrl }: Connection, cid: string, signal?: AbortSignal): Promise<boolean> {
  const deadline = AbortSignal.timeout(probeTimeoutMs)
  try {
    const response = await fetch(`${gatewayUrl}/ipfs/${cid}?format=raw`, {
      method: 'HEAD',
      headers: { accept: 'application/vnd.ipld.raw' },
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    })
    return response.ok
  } catch {
    signal?.throwIfAborted()
    return false
  }
}
