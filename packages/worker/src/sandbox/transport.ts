import type { Readable, Writable } from 'node:stream'

/** A running supervisor, wherever it runs: its standard streams, and the one way to end it. */
export type Transport = {
  readonly input: Writable
  readonly output: Readable
  /** Resolves with what is known about the end, once the supervisor is gone or cannot be reached. Never rejects. */
  readonly closed: Promise<string>
  /** Ends the supervisor and everything under it. Resolves when it is gone. */
  readonly kill: () => Promise<void>
}
