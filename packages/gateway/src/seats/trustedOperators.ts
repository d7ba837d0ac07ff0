import { setTimeout as sleep } from 'node:timers/promises'
import type { Ticket } from '@peerhost/protocol'
import type { Address } from 'viem'
import type { NetworkTerms } from '../egress/networkTerms.ts'
import type { WorkerPool } from '../workers/workerLink.ts'

export type TrustDeps = { networkTerms: Pick<NetworkTerms, 'trustedOf'> }

const pollMs = 100

/** Whether an operator may run a ticket's code, as far as the function's owner has a say. Throws `bundle_unavailable`. */
export async function isTrusted({ networkTerms }: TrustDeps, ticket: Ticket, operator: Address): Promise<boolean> {
  const trusted = await networkTerms.trustedOf(ticket)
  return trusted?.has(operator.toLowerCase()) ?? true
}

/**
 * Waits until as many operators as the ticket's quorum are connected that the function's owner trusts; says what is missing when they
 * are not, and `undefined` when they are or anybody may run it. Throws `bundle_unavailable`.
 */
export async function missingTrust(
  { networkTerms, workers }: TrustDeps & { workers: Pick<WorkerPool, 'links'> },
  ticket: Ticket,
  waitMs = 0,
): Promise<string | undefined> {
  const trusted = await networkTerms.trustedOf(ticket)
  if (!trusted) return undefined
  const untilMs = Date.now() + waitMs
  for (;;) {
    const connected = new Set(workers.links().map(({ operator }) => operator.toLowerCase()))
    const there = [...connected].filter((operator) => trusted.has(operator)).length
    if (there >= ticket.quorum) return undefined
    if (Date.now() >= untilMs)
      return `Operators that the function’s owner trusts and that are connected: ${there}, needed: ${ticket.quorum}.`
    await sleep(pollMs)
  }
}
