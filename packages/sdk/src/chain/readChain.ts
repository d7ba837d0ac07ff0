import type { PeerHostError } from '@peerhost/protocol'
import { chainError } from './chainError.ts'

/** Runs a read of the chain; what fails becomes a `PeerHostError` whose message says what was being read. */
export async function readChain<T>(purpose: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    throw chainError(cause, purpose) satisfies PeerHostError
  }
}
