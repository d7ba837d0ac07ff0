import { cidToDigest, isPeerHostError, LIMITS, PeerHostError } from '@peerhost/protocol'
import type { BlockSource } from './blockStore.ts'
import { assertBlock, assertBlockSize } from './hashBlock.ts'

/** A source that was asked and gave nothing usable. `mismatch`: it sent other bytes. */
export type RejectedSource = { source: string; kind: 'mismatch' | 'too-large' | 'failed'; reason: string }

export type FetchedBlock = { bytes: Uint8Array; source: string; rejected: RejectedSource[] }

export type FetchBlockParameters = {
  /** Default: `LIMITS.bundleBytes`. */
  maxBytes?: number
  /** Longest wait for one source, whatever the source itself allows. Default: 15 s. */
  sourceTimeoutMs?: number
  signal?: AbortSignal
}

/**
 * Asks the sources in order until one has the block, and verifies it whoever served it.
 * Throws `bundle_mismatch` when every block that was served was a wrong one, `bundle_unavailable` when none was served,
 * both with one line per source; the caller's reason when the caller aborted.
 */
export async function fetchBlock(
  sources: readonly BlockSource[],
  cid: string,
  { maxBytes = LIMITS.bundleBytes, sourceTimeoutMs = 15_000, signal }: FetchBlockParameters = {},
): Promise<FetchedBlock> {
  cidToDigest(cid)
  const rejected: RejectedSource[] = []
  const missing: string[] = []
  for (const source of sources) {
    signal?.throwIfAborted()
    try {
      const bytes = await withDeadline((inner) => source.get(cid, inner), sourceTimeoutMs, signal)
      if (bytes === undefined) {
        missing.push(source.name)
        continue
      }
      assertBlockSize(bytes, maxBytes)
      assertBlock(cid, bytes)
      return { bytes, source: source.name, rejected }
    } catch (error) {
      signal?.throwIfAborted()
      rejected.push({ source: source.name, ...reject(error) })
    }
  }
  throw notFound(cid, rejected, missing)
}

function reject(error: unknown): Omit<RejectedSource, 'source'> {
  if (!isPeerHostError(error)) return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) }
  const kinds = { bundle_mismatch: 'mismatch', bundle_too_large: 'too-large' } as const
  const kind = error.code === 'bundle_mismatch' || error.code === 'bundle_too_large' ? kinds[error.code] : 'failed'
  return { kind, reason: [error.message, ...error.details].filter((line) => line !== '').join(' ') }
}

function notFound(cid: string, rejected: RejectedSource[], missing: string[]): PeerHostError {
  const details = [
    `Block: ${cid}`,
    ...rejected.map(({ source, reason }) => `${source}: ${reason}`),
    ...missing.map((source) => `${source}: does not have it.`),
  ]
  return rejected.some(({ kind }) => kind === 'mismatch')
    ? new PeerHostError('bundle_mismatch', 'Every block that was served is a wrong one.', {
        details,
        hint: 'Nothing was run. Add a source that has the block.',
      })
    : new PeerHostError('bundle_unavailable', 'No source has the block.', {
        details,
        hint: 'Upload it again, or add a source that has it.',
      })
}

/** Also ends the wait for a source that ignores its signal. */
async function withDeadline<T>(
  run: (signal: AbortSignal) => Promise<T>,
  timeoutMs: number,
  outer: AbortSignal | undefined,
): Promise<T> {
  const controller = new AbortController()
  const { promise: ended, reject: end } = Promise.withResolvers<never>()
  const stop = (reason: unknown) => {
    controller.abort(reason)
    end(reason)
  }
  const onAbort = () => stop(outer?.reason)
  const timer = setTimeout(() => stop(new Error(`No answer within ${timeoutMs} ms.`)), timeoutMs)
  outer?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([run(controller.signal), ended])
  } finally {
    clearTimeout(timer)
    outer?.removeEventListener('abort', onAbort)
  }
}
