import type { EnvelopeKey } from '../envelope/main.ts'
import type { Run } from '../messages.ts'

/** The execution with its environment, or how it ended without one. */
type Opened = { type: 'opened'; run: Run } | { type: 'cancelled' } | { type: 'lost' }

/** The keys of executions that wait for their environment: each is made for one of them and opens one envelope. */
export type Envelopes = {
  /** Makes the key of an execution to come and gives its public half, base64. */
  keyFor: (id: number) => Promise<string>
  /** Never rejects: what the key of this execution does not open is `lost`, as if its host had died. */
  open: (run: Run) => Promise<Opened>
  cancel: (id: number) => void
}

export function createEnvelopes(createKey: () => Promise<EnvelopeKey>): Envelopes {
  const keys = new Map<number, Promise<EnvelopeKey>>()
  const opening = new Set<number>()
  return {
    keyFor: async (id) => {
      const key = createKey()
      keys.set(id, key)
      return (await key).publicKey
    },
    open: async ({ envelope, ...run }) => {
      const key = keys.get(run.id)
      keys.delete(run.id)
      opening.add(run.id)
      const env = envelope && (await key?.then(({ open }) => open(envelope)).catch(() => undefined))
      if (!opening.delete(run.id)) return { type: 'cancelled' }
      return env ? { type: 'opened', run: { ...run, env } } : { type: 'lost' }
    },
    cancel: (id) => {
      keys.delete(id)
      opening.delete(id)
    },
  }
}
