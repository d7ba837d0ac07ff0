import { fromBase64, type Ticket } from '@peerhost/protocol'
import { type RunningDeps, runningTicket } from '../workers/runningTicket.ts'
import type { EgressMessage, WorkerLink } from '../workers/workerLink.ts'
import type { EgressBroker, Transcript } from './broker.ts'

export type ServeWorkersDeps = RunningDeps & { broker: EgressBroker; signal: AbortSignal }

/** Passes a worker's call to the broker when the worker runs the request now. Throws `request_invalid` otherwise, and `bundle_unavailable`. */
export async function serveWorker(
  deps: ServeWorkersDeps,
  link: WorkerLink,
  { requestId, index, call }: EgressMessage,
  given: Ticket | undefined,
): Promise<Transcript> {
  const ticket = await runningTicket(deps, link, requestId, given)
  return deps.broker.answer({ requestId, ticket, index, worker: link.operator, call: fromBase64(call) }, deps.signal)
}
