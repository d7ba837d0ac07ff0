import type { Envelope } from '@peerhost/runtime'
import type { SealEnvironment } from './environment.ts'

/** How long a supervisor may take for a key: its container may only just have been started. */
const keyWithinMs = 30_000

/** The environments of executions to come, on their way to one supervisor. */
export type Sealing = {
  /**
   * The environment of an execution, sealed for a key of the supervisor; `undefined` when the supervisor is gone. Rejects with what `environment`
   * rejects with and with the signal's reason; the supervisor then forgets the key.
   */
  seal: (id: number, environment: SealEnvironment, signal: AbortSignal) => Promise<Envelope | undefined>
  /** The key that was asked for. */
  key: (id: number, publicKey: string) => void
  lost: () => void
}

/** `giveUp`: the supervisor does not answer. */
export function createSealing(send: (header: object) => void, giveUp: () => void): Sealing {
  const waiting = new Map<number, (publicKey: string | undefined) => void>()

  async function keyOf(id: number): Promise<string | undefined> {
    const key = Promise.withResolvers<string | undefined>()
    const overdue = setTimeout(giveUp, keyWithinMs)
    waiting.set(id, key.resolve)
    send({ type: 'key', id })
    try {
      return await key.promise
    } finally {
      clearTimeout(overdue)
      waiting.delete(id)
    }
  }

  return {
    seal: async (id, environment, signal) => {
      const publicKey = await keyOf(id)
      if (publicKey === undefined) return undefined
      try {
        signal.throwIfAborted()
        const envelope = await environment(publicKey, signal)
        signal.throwIfAborted()
        return envelope
      } catch (error) {
        send({ type: 'cancel', id })
        throw error
      }
    },
    key: (id, publicKey) => waiting.get(id)?.(publicKey),
    lost: () => {
      for (const give of waiting.values()) give(undefined)
    },
  }
}
