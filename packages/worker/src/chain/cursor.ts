import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** The next block to read, on disk. */
export type Cursor = { read: () => Promise<bigint | undefined>; write: (nextBlock: bigint) => Promise<void> }

/** A small file, replaced whole. One that cannot be read counts as none: reading too much of the chain is harmless. */
export function createFileCursor(file: string): Cursor {
  let written: bigint | undefined
  return {
    read: async () => {
      const text = await readFile(file, 'utf8').catch(() => '')
      return /^\d+\n$/.test(text) ? BigInt(text.trim()) : undefined
    },
    write: async (nextBlock) => {
      if (nextBlock === written) return
      await mkdir(dirname(file), { recursive: true })
      const handle = await open(`${file}.new`, 'w')
      try {
        await handle.writeFile(`${nextBlock}\n`)
        await handle.sync()
      } finally {
        await handle.close()
      }
      await rename(`${file}.new`, file)
      written = nextBlock
    },
  }
}
