import { digestToCid, LIMITS } from '@peerhost/protocol'
import type { BlockSource, BlockStore } from '@peerhost/storage'
import { fetchBlock } from '@peerhost/storage'
import type { Hex } from 'viem'

export type BundlesDeps = {
  /** This worker's own disk: asked first, and filled with what others gave. */
  cache: BlockStore
  /** Asked in order. None of them is trusted: every block is checked against its CID. */
  sources: readonly BlockSource[]
  /** How many bytes of bundles stay in memory. */
  memoryBytes?: number
  onRejected?: (rejected: { source: string; reason: string }) => void
}

export type FetchBundle = (digest: Hex, signal: AbortSignal) => Promise<Uint8Array>

const defaultMemoryBytes = 67_108_864

/** Bundles by digest, from memory, disk, then the other sources. Jobs that want the same one share one fetch. */
export function createBundles(deps: BundlesDeps): FetchBundle {
  const memory = createMemory(deps.memoryBytes ?? defaultMemoryBytes)
  const fetching = new Map<string, Promise<Uint8Array>>()

  async function load(cid: string): Promise<Uint8Array> {
    // Not one caller's signal: the others still wait when that one gives up.
    const signal = AbortSignal.timeout(fetchTimeoutMs)
    const sources = [deps.cache, ...deps.sources]
    const { bytes, source, rejected } = await fetchBlock(sources, cid, { maxBytes: LIMITS.bundleBytes, signal })
    for (const one of rejected) deps.onRejected?.(one)
    // A full disk costs speed, not the answer.
    if (source !== deps.cache.name) await deps.cache.put(bytes).catch(() => {})
    memory.put(cid, bytes)
    return bytes
  }

  return async (digest, signal) => {
    const cid = digestToCid(digest)
    const held = memory.get(cid)
    if (held) return held
    const running = fetching.get(cid) ?? load(cid).finally(() => fetching.delete(cid))
    fetching.set(cid, running)
    return abortable(running, signal)
  }
}

const fetchTimeoutMs = 15_000

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** Keeps the blocks that were used last, up to a number of bytes. */
function createMemory(maxBytes: number) {
  const blocks = new Map<string, Uint8Array>()
  let total = 0
  return {
    get(cid: string): Uint8Array | undefined {
      const bytes = blocks.get(cid)
      if (!bytes) return undefined
      blocks.delete(cid)
      blocks.set(cid, bytes)
      return bytes
    },
    put(cid: string, bytes: Uint8Array): void {
      if (blocks.has(cid) || bytes.length > maxBytes) return
      blocks.set(cid, bytes)
      total += bytes.length
      for (const [oldest, old] of blocks) {
        if (total <= maxBytes) break
        blocks.delete(oldest)
        total -= old.length
      }
    },
  }
}
