import type { DeclineReason, Usage, VoteName } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'

/** Everything a worker tells about itself. Logs, metrics and tests read only this. */
export type WorkerEvents = {
  'worker:started': { operator: Address; executionKey: Address; runtimeDigest: Hex; capacity: number }
  'worker:draining': { running: number }
  'worker:stopped': { aborted: number }
  /** Something that a person has to look at. The worker goes on where it can. */
  'worker:error': { during: string; error: unknown }
  /** Whether the chain lets this execution key sign now. */
  'operator:active': { active: boolean }

  'session:open': { url: string; gateway: Address }
  'session:closed': { url: string; reason: string; retryInMs: number }

  'job:accepted': { requestId: Hex; functionId: Hex; lane: number; running: number }
  'job:declined': { requestId: Hex; reason: DeclineReason }
  'job:cancelled': { requestId: Hex }
  'job:attested': { requestId: Hex; functionId: Hex; outcome: number; status: number; usage: Usage; tookMs: number }
  /** An attestation from the journal was sent again; nothing ran. */
  'job:resent': { requestId: Hex }
  'job:settled': { requestIds: readonly Hex[]; transaction: Hex }
  /** A request that was run and will not be paid. */
  'job:unpaid': { requestId: Hex; reason: string }

  /** A result is hidden behind this commitment, and the requester has it. */
  'job:committed': { requestId: Hex; commitment: Hex }
  /** A requester closed two different sets of commitments for one request; nothing is opened against the second. */
  'sets:conflict': { requestId: Hex; requester: Address }
  'sets:reported': { requestId: Hex; transaction: Hex }
  /** A commitment stands on chain. */
  'lane:committed': { requestId: Hex; transaction: Hex }
  'lane:refused': { requestId: Hex; reason: string }

  'seed:captured': { epoch: number; transaction: Hex }
  'jury:voted': { caseId: Hex; jury: number; vote: VoteName; transaction: Hex }
  'jury:revealed': { caseId: Hex; jury: number; transaction: Hex }
  'jury:concluded': { caseId: Hex; transaction: Hex }
  /** This operator sits in a jury and does not vote. */
  'jury:abstained': { caseId: Hex; reason: string }
  'case:accused': { caseId: Hex; requestId: Hex }
  'audit:input-given': { requestId: Hex; transaction: Hex }
  'audit:done': { requestId: Hex; matched: boolean; transaction: Hex }
  'court:withdrawn': { amount: bigint; transaction: Hex }

  'roll:signed': { batchId: string; count: number }
  'roll:refused': { batchId: string; reason: string }

  'chain:listening': { fromBlock: bigint }
  'chain:scanned': { fromBlock: bigint; toBlock: bigint; found: number }
  /** An RPC endpoint did not answer and is passed over for a while. */
  'chain:endpoint-away': { endpoint: string; error: unknown }
  'chain:interrupted': { error: unknown; retryInMs: number }

  'settlement:sent': { transaction: Hex; settled: number; skipped: number }
  'settlement:failed': { requestIds: readonly Hex[]; error: unknown }
  'journal:compacted': { dropped: number }
}

export type WorkerEventName = keyof WorkerEvents
export type WorkerEmit = <N extends WorkerEventName>(name: N, event: WorkerEvents[N]) => void
type Listener<N extends WorkerEventName> = (event: WorkerEvents[N]) => void

/** Typed events. Listeners run at once, in order; one that throws is reported as `worker:error` and stops nothing. */
export type WorkerEventHub = {
  emit: WorkerEmit
  on: <N extends WorkerEventName>(name: N, listener: Listener<N>) => () => void
  /** Every event, in one place: for logs and metrics. */
  onAny: (listener: (name: WorkerEventName, event: WorkerEvents[WorkerEventName]) => void) => () => void
}

export function createWorkerEvents(): WorkerEventHub {
  const listeners = new Set<(name: WorkerEventName, event: WorkerEvents[WorkerEventName]) => void>()
  const onAny: WorkerEventHub['onAny'] = (listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  const emit: WorkerEmit = (name, event) => {
    for (const listener of [...listeners]) {
      try {
        listener(name, event)
      } catch (error) {
        // A listener of `worker:error` that throws has nobody left to tell.
        if (name !== 'worker:error') emit('worker:error', { during: `a listener of ${name}`, error })
      }
    }
  }
  return {
    emit,
    onAny,
    on: (name, listener) =>
      onAny((emitted, event) => {
        if (emitted === name) listener(event as never)
      }),
  }
}
