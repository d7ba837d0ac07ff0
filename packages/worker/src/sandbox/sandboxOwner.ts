import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { Address } from 'viem'

/**
 * Names one worker among all on this machine, the same after a restart. The directory is part of it: the workers of two
 * local networks have the same keys, and one must not remove the other's containers.
 */
export function sandboxOwner({
  executionKey,
  dataDirectory,
}: {
  executionKey: Address
  dataDirectory: string
}): string {
  const place = createHash('sha256').update(resolve(dataDirectory)).digest('hex').slice(0, 16)
  return `${executionKey.toLowerCase()}-${place}`
}
