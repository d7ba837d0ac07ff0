import type { DeclineReason } from '@peerhost/protocol'

/** Why a run is given up over what it needs from its requester. `error` is for the log only. */
export type RunLoss = { reason: DeclineReason; error: unknown }
