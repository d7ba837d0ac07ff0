import { PeerHostError, type Ticket } from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { Seating } from '../seats/seating.ts'
import { isTrusted, type TrustDeps } from '../seats/trustedOperators.ts'
import type { WorkerLink } from './workerLink.ts'

export type RunningDeps = TrustDeps & {
  /** Tickets of the confirmed lane that stand open, by their request. */
  postedTicket: (requestId: Hex) => Ticket | undefined
  seating: Pick<Seating, 'modeOf' | 'seatOf' | 'isWidened'>
  nowSeconds: () => number
}

/**
 * The ticket of a request that a worker runs now: it was given the job (`given`) on this connection and has not answered, or the request
 * stands open on chain and its operator has a seat. Throws `request_invalid` otherwise, when the request's time is over, and for an operator
 * that the function's owner does not trust; `bundle_unavailable` when nobody has the list.
 */
export async function runningTicket(
  deps: RunningDeps,
  { operator }: WorkerLink,
  requestId: Hex,
  given: Ticket | undefined,
): Promise<Ticket> {
  const ticket = given ?? deps.postedTicket(requestId)
  if (!ticket) throw notItsRequest()
  if (ticket.deadline <= deps.nowSeconds()) throw new PeerHostError('request_invalid', 'The request’s time is over.')
  if (!(await isTrusted(deps, ticket, operator)))
    throw new PeerHostError('request_invalid', 'The function’s owner does not let this operator run it.')
  if (!given && !(await hasSeat(deps, operator, requestId, ticket))) throw notItsRequest()
  return ticket
}

function notItsRequest(): PeerHostError {
  return new PeerHostError('request_invalid', 'This worker does not run the request now.')
}

async function hasSeat(
  { seating }: RunningDeps,
  operator: WorkerLink['operator'],
  requestId: Hex,
  ticket: Ticket,
): Promise<boolean> {
  if ((await seating.modeOf(ticket)) === 'all-seated') return true
  return (await seating.seatOf(operator, ticket)) !== undefined || seating.isWidened(requestId, ticket)
}
