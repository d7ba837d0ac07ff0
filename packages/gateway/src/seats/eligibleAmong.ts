import type { Ticket } from '@peerhost/protocol'
import type { NetworkTerms } from '../egress/networkTerms.ts'
import type { WorkerLink, WorkerPool } from '../workers/workerLink.ts'
import type { Seating } from './seating.ts'

export type EligibleDeps = {
  seating: Pick<Seating, 'modeOf' | 'seatOf'>
  workers: Pick<WorkerPool, 'links'>
  networkTerms: Pick<NetworkTerms, 'trustedOf'>
}

/** Which of the connected workers may run a ticket. `isDrawn`: by a draw, so that a fresh ticket has others. */
export type Eligible = { isDrawn: boolean; has: (link: WorkerLink) => boolean }

/** Those with a seat for the ticket that the function's owner trusts, where it names whom. Throws `bundle_unavailable`. */
export async function eligibleAmong(
  { seating, workers, networkTerms }: EligibleDeps,
  ticket: Ticket,
): Promise<Eligible> {
  const trusted = await networkTerms.trustedOf(ticket)
  const isTrusted = ({ operator }: WorkerLink) => trusted?.has(operator.toLowerCase()) ?? true
  if ((await seating.modeOf(ticket)) === 'all-seated') return { isDrawn: false, has: isTrusted }
  const links = workers.links().filter(isTrusted)
  const seats = await Promise.all(links.map(({ operator }) => seating.seatOf(operator, ticket)))
  const seated = new Set(links.filter((_, index) => seats[index] !== undefined))
  return { isDrawn: true, has: (link) => seated.has(link) }
}
