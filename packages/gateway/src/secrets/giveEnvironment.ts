import { environmentContext, PeerHostError, type Ticket } from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { Hex } from 'viem'
import type { NetworkTerms } from '../egress/networkTerms.ts'
import { type RunningDeps, runningTicket } from '../workers/runningTicket.ts'
import type { EnvironmentMessage, WorkerLink } from '../workers/workerLink.ts'
import { type SealedEnvironment, sealEnvironment } from './sealEnvironment.ts'

export type GiveEnvironmentDeps = RunningDeps & {
  log: Logger
  networkTerms: Pick<NetworkTerms, 'environmentOf' | 'trustedOf'>
}

/**
 * Seals a function's environment for the sandbox of a worker that runs the request now. Throws `request_invalid` for another worker, another
 * time, an operator that the owner does not trust, or a function that reads none, and `secret_missing` when a value is gone.
 */
export async function giveEnvironment(
  deps: GiveEnvironmentDeps,
  link: WorkerLink,
  { requestId, publicKey }: EnvironmentMessage & { requestId: Hex },
  given: Ticket | undefined,
): Promise<SealedEnvironment> {
  const ticket = await runningTicket(deps, link, requestId, given)
  const trusted = await deps.networkTerms.trustedOf(ticket)
  if (trusted && !trusted.has(link.operator.toLowerCase()))
    throw new PeerHostError('request_invalid', 'The function’s owner does not let this operator run it.')
  const values = await deps.networkTerms.environmentOf(ticket)
  if (!values) throw new PeerHostError('request_invalid', 'The function reads no environment.')
  const context = environmentContext(requestId, link.operator)
  const sealed = await sealEnvironment(values, { publicKey, context })
  deps.log.info({ requestId, operator: link.operator, envVersion: ticket.envVersion }, 'environment sealed')
  return sealed
}
