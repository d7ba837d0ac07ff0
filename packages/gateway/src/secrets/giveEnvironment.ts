import {
  type DigestSigner,
  environmentContext,
  hashEnvironmentEnvelope,
  PeerHostError,
  type ProtocolDomain,
  type SealedEnvironment,
  type Ticket,
} from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { Hex } from 'viem'
import type { NetworkTerms } from '../egress/networkTerms.ts'
import { type RunningDeps, runningTicket } from '../workers/runningTicket.ts'
import type { EnvironmentMessage, WorkerLink } from '../workers/workerLink.ts'
import { sealEnvironment } from './sealEnvironment.ts'

export type GiveEnvironmentDeps = RunningDeps & {
  log: Logger
  domain: ProtocolDomain
  signer: DigestSigner
  networkTerms: Pick<NetworkTerms, 'environmentOf' | 'trustedOf'>
}

/** An envelope, and the requester's signature that it made it. */
export type GivenEnvironment = SealedEnvironment & { signature: Hex }

/**
 * Seals a function's environment for the sandbox of a worker that runs the request now. Throws `request_invalid` for another worker, another
 * time, an operator that the owner does not trust, or a function that reads none, `secret_missing` when a value is gone, and
 * `secrets_unavailable`, `bundle_unavailable` when they cannot be read.
 */
export async function giveEnvironment(
  deps: GiveEnvironmentDeps,
  link: WorkerLink,
  { requestId, publicKey }: EnvironmentMessage & { requestId: Hex },
  given: Ticket | undefined,
): Promise<GivenEnvironment> {
  const ticket = await runningTicket(deps, link, requestId, given)
  const values = await deps.networkTerms.environmentOf(ticket)
  if (!values) throw new PeerHostError('request_invalid', 'The function reads no environment.')
  const { operator } = link
  const sealed = await sealEnvironment(values, { publicKey, context: environmentContext(requestId, operator) })
  const digest = hashEnvironmentEnvelope(deps.domain, { requestId, operator, publicKey }, sealed)
  const signature = await deps.signer.sign(digest)
  deps.log.info({ requestId, operator, envVersion: ticket.envVersion }, 'environment sealed')
  return { ...sealed, signature }
}
