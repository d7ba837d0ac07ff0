import type { DeclineReason, GatewayMessage, WorkerMessage } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'

export type AttestedMessage = Extract<WorkerMessage, { type: 'attested' }>

export type CommittedMessage = Extract<WorkerMessage, { type: 'committed' }>

export type EgressMessage = Extract<WorkerMessage, { type: 'egress' }>

export type EnvironmentMessage = Extract<WorkerMessage, { type: 'environment' }>

/** Why a job that was given to a worker came back without what was asked for. */
export type Unanswered = { type: 'declined'; reason: DeclineReason } | { type: 'disconnected' } | { type: 'late' }

/** How a job that was given to a worker came back. */
export type WorkerReply = { type: 'attested'; message: AttestedMessage } | Unanswered

/** How a job of a quorum came back: the result stays hidden until the set is closed. */
export type CommitReply = { type: 'committed'; message: CommittedMessage } | Unanswered

/** A connected worker whose key the chain knows. */
export type WorkerLink = {
  operator: Address
  executionKey: Address
  runtimeDigests: readonly Hex[]
  capacity: () => number
  inFlight: () => number
  /** Holds a slot until the next `run`, so that two jobs that wait do not get the same one. */
  claim: () => void
  /** Sends a job and waits for its reply, at most `timeoutMs`. */
  run: (job: Extract<GatewayMessage, { type: 'job' }>, timeoutMs: number) => Promise<WorkerReply>
  /** Sends a job of a quorum and waits for its commitment, at most `timeoutMs`. */
  commit: (job: Extract<GatewayMessage, { type: 'job' }>, timeoutMs: number) => Promise<CommitReply>
  /** Shows a worker that has committed the closed set, and waits for its result. */
  open: (set: Extract<GatewayMessage, { type: 'open' }>, timeoutMs: number) => Promise<WorkerReply>
  /** Asks for one signature over a batch. `undefined` when refused, late or gone. */
  roll: (batchId: string, requestIds: readonly Hex[], timeoutMs: number) => Promise<Hex | undefined>
  send: (message: GatewayMessage) => void
  close: (reason: string) => void
}

/** What the dispatcher needs of the connected workers. */
export type WorkerPool = {
  links: () => readonly WorkerLink[]
  /**
   * The least loaded worker with this runtime that is not in `except`. Waits up to `waitMs` for a free one, or for one
   * to connect. `undefined` when none came. A slot of the worker is claimed: run a job on it at once.
   */
  acquire: (options: {
    runtimeDigest: Hex
    except: (link: WorkerLink) => boolean
    waitMs: number
  }) => Promise<WorkerLink | undefined>
  /** Those with this runtime, free or not, the least loaded first. */
  withRuntime: (runtimeDigest: Hex) => readonly WorkerLink[]
  /** True when a worker with this runtime is connected, free or not. */
  supports: (runtimeDigest: Hex) => boolean
}
