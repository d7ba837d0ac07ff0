import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { PeerHostError } from '@peerhost/protocol'

/** Gives the lock back; a second time does nothing. */
export type ReleaseLock = () => void

/**
 * Takes the lock at `path` if nobody holds it. Node has no flock; SQLite's exclusive transaction is one that the kernel
 * frees when its holder dies, however it dies, so there is no stale lock to guess about.
 */
export function tryFileLock(path: string): ReleaseLock | undefined {
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (isBusy(error)) return undefined
    throw error
  }
  return () => {
    if (database.isOpen) database.close()
  }
}

/** Waits for the lock at `path`. Throws `conflict` when it is not free in time. */
export async function acquireFileLock(path: string, timeoutMs: number): Promise<ReleaseLock> {
  const deadline = performance.now() + timeoutMs
  for (let delayMs = 1; ; delayMs = Math.min(delayMs * 2, 25)) {
    const release = tryFileLock(path)
    if (release) return release
    if (performance.now() > deadline)
      throw new PeerHostError('conflict', 'Another process holds the spending ledger.', {
        details: [`Waited ${timeoutMs} ms for ${path}`],
        hint: 'Look for a process that hangs with the same wallet, then try again.',
      })
    await sleep(delayMs * (0.5 + Math.random()))
  }
}

function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: number }).errcode
  return code !== undefined && (code & 0xff) === 5
}
