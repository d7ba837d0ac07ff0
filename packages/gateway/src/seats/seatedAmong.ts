import type { Ticket } from '@peerhost/protocol'
import type { WorkerLink, WorkerPool } from '../workers/workerLink.ts'
import type { Seating } from './seating.ts'

export type SeatedDeps = { seating: Pick<Seating, 'modeOf' | 'seatOf'>; workers: Pick<WorkerPool, 'links'> }

/** Which of the connected workers have a seat for a ticket; `undefined` when all of them do. */
export async function seatedAmong(
  { seating, workers }: SeatedDeps,
  ticket: Ticket,
): Promise<((link: WorkerLink) => boolean) | undefined> {
  if ((await seating.modeOf(ticket)) === 'all-seated') return undefined
  const links = workers.links()
  const seats = await Promise.all(links.map(({ operator }) => seating.seatOf(operator, ticket)))
  const seated = new Set(links.filter((_, index) => seats[index] !== undefined))
  return (link) => seated.has(link)
}
