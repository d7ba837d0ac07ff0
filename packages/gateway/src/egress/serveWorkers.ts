import { fromBase64, PeerHostError, type Ticket } from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { Seating } from '../seats/seating.ts'
import type { EgressMessage, WorkerLink } from '../workers/workerLink.ts'
import type { EgressBroker, Transcript } from './broker.ts'

export type ServeWorkersDeps = {
  broker: EgressBroker
  /** Tickets of the confirmed lane that stand open, by their request. */
  postedTicket: (requestId: Hex) => Ticket | undefined
  seating: Pick<Seating, 'modeOf' | 'seatOf'>
  nowSeconds: () => number
  signal: AbortSignal
}

/**
 * Passes a worker's call to the broker when the worker runs the request now: it was given the job here and has not answered, or
 * the request stands open on chain and its operator has a seat. Throws `request_invalid` otherwise.
 */
export async function serveWorker(
  deps: ServeWorkersDeps,
  link: WorkerLink,
  message: EgressMessage,
  given: Ticket | undefined,
): Promise<Transcript> {
  const { requestId, index } = message
  const ticket = given ?? (await postedTo(deps, link, requestId))
  if (!ticket) throw new PeerHostError('request_invalid', 'This worker does not run the request now.')
  if (ticket.deadline <= deps.nowSeconds()) throw new PeerHostError('request_invalid', 'The request’s time is over.')
  const asked = { requestId, ticket, index, worker: link.operator, call: fromBase64(message.call) }
  return deps.broker.answer(asked, deps.signal)
}

async function postedTo(
  { postedTicket, seating }: ServeWorkersDeps,
  { operator }: WorkerLink,
  requestId: Hex,
): Promise<Ticket | undefined> {
  const ticket = postedTicket(requestId)
  if (!ticket || (await seating.modeOf(ticket)) === 'all-seated') return ticket
  return (await seating.seatOf(operator, ticket)) === undefined ? undefined : ticket
}
