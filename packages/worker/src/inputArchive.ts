import { appendFile, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fromBase64, LIMITS, toBase64 } from '@peerhost/protocol'
import type { Hex } from 'viem'

/** The inputs of this worker's own results, for the audits that may ask for them epochs later. One file per epoch. */
export type InputArchive = {
  /** Not made durable: losing one costs at most its fee. An input that is too large for an answer on chain is not kept. */
  keep: (input: ArchivedInput & { requestId: Hex; epoch: number }) => Promise<void>
  find: (requestId: Hex) => Promise<ArchivedInput | undefined>
  /** Drops the files of epochs before this one. */
  dropBefore: (epoch: number) => Promise<void>
}

export type ArchivedInput = { salt: Hex; input: Uint8Array }

const fileName = /^(\d+)\.log$/

/** Opens the archive in a directory of its own, which is made when something is kept. */
export function createInputArchive(directory: string): InputArchive {
  const epochs = async () => {
    const names = await readdir(directory).catch(() => [])
    return names.flatMap((name) => fileName.exec(name)?.[1] ?? []).map(Number)
  }
  return {
    keep: async ({ requestId, epoch, salt, input }) => {
      if (input.length > LIMITS.calldataInputBytes) return
      await mkdir(directory, { recursive: true, mode: 0o700 })
      const line = `${requestId} ${salt} ${toBase64(input)}\n`
      await appendFile(join(directory, `${epoch}.log`), line, { mode: 0o600 })
    },
    find: async (requestId) => {
      for (const epoch of (await epochs()).sort((a, b) => b - a)) {
        const found = await findIn(join(directory, `${epoch}.log`), requestId)
        if (found) return found
      }
      return undefined
    },
    dropBefore: async (epoch) => {
      const old = (await epochs()).filter((one) => one < epoch)
      await Promise.all(old.map((one) => rm(join(directory, `${one}.log`), { force: true })))
    },
  }
}

async function findIn(file: string, requestId: Hex): Promise<ArchivedInput | undefined> {
  const handle = await open(file, 'r').catch(() => undefined)
  if (!handle) return undefined
  try {
    for await (const line of handle.readLines()) {
      const [id, salt, input] = line.split(' ')
      // A line that a crash tore has fewer parts.
      if (id === requestId && salt !== undefined && input !== undefined)
        return { salt: salt as Hex, input: fromBase64(input) }
    }
    return undefined
  } finally {
    await handle.close()
  }
}
