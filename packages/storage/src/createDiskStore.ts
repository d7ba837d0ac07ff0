import { randomUUID } from 'node:crypto'
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { cidToDigest, isPeerHostError, LIMITS } from '@peerhost/protocol'
import type { BlockStore } from './blockStore.ts'
import { assertBlock, assertBlockSize, blockCid } from './hashBlock.ts'

export type DiskStoreParameters = {
  /** Made when it does not exist. Several processes may share it. */
  directory: string
}

/** Blocks as files, one per CID. A file that does not match its name is removed and counts as missing. */
export function createDiskStore({ directory }: DiskStoreParameters): BlockStore {
  // Only a canonical CID passes `cidToDigest`, so a name never leaves the directory.
  const pathOf = (cid: string) => {
    cidToDigest(cid)
    return join(directory, cid.slice(-3, -1), cid)
  }
  const read = async (cid: string, signal?: AbortSignal) => {
    signal?.throwIfAborted()
    const path = pathOf(cid)
    return (await readBlock(path, cid, signal)) ?? undefined
  }
  return {
    name: 'disk',
    get: read,
    async put(bytes, signal) {
      signal?.throwIfAborted()
      assertBlockSize(bytes)
      const cid = blockCid(bytes)
      if ((await read(cid, signal)) === undefined) await writeAtomically(pathOf(cid), bytes)
      return cid
    },
  }
}

async function readBlock(path: string, cid: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
  try {
    if ((await stat(path)).size <= LIMITS.bundleBytes) {
      const bytes = await readFile(path, { signal })
      assertBlock(cid, bytes)
      return bytes
    }
  } catch (error) {
    if (isMissingFile(error)) return undefined
    if (!isPeerHostError(error)) throw error
  }
  await rm(path, { force: true })
  return undefined
}

/** Whole or not at all: readers see either no file or the finished one, also after a power cut. */
async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    const file = await open(temporary, 'wx', 0o644)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

function isMissingFile(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'ENOENT'
}
