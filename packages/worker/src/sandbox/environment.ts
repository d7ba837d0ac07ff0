import type { Envelope } from '@peerhost/runtime'

/**
 * Has the environment of one execution sealed for a key inside its sandbox (X25519, 32 bytes, base64), so that it passes
 * through here unread. Rejects when there can be no envelope: the execution then has no result.
 */
export type SealEnvironment = (publicKey: string, signal: AbortSignal) => Promise<Envelope>
