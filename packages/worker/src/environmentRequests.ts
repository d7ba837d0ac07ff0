import {
  environmentContext,
  type GatewayMessage,
  hashEnvironmentEnvelope,
  PeerHostError,
  type ProtocolDomain,
  type Signing,
  sameHex,
  toBase64,
} from '@peerhost/protocol'
import type { Address } from 'viem'
import type { Job } from './acceptJob.ts'
import type { GatewaySession } from './gatewaySession.ts'
import { createQuestions, type SessionsOf } from './questions.ts'
import type { RunLoss } from './runLoss.ts'
import type { SealEnvironment } from './sandbox/environment.ts'

type Envelope = Extract<GatewayMessage, { type: 'environment-sealed' }>
type AnswerMessage = Envelope | Extract<GatewayMessage, { type: 'environment-failed' }>

export type EnvironmentRequestsDeps = {
  operator: Address
  domain: ProtocolDomain
  signing: Signing
  sessionsOf: SessionsOf
  timeoutMs?: number
}

/** Environments on their way from their requesters into the sandbox, sealed. */
export type EnvironmentRequests = {
  /**
   * Asks for the environment of one job. What goes on to the sandbox is what the requester has signed for this request, this operator and
   * this key. `onLost` is told when there is nothing such: then this run is not attested.
   */
  environmentOf: (job: Pick<Job, 'requestId' | 'ticket'>, onLost: (loss: RunLoss) => void) => SealEnvironment
  /** A requester's message about an environment. */
  answer: (session: GatewaySession, message: AnswerMessage) => void
  /** A session is closed: what was asked over it has no answer any more. */
  lost: (session: GatewaySession) => void
}

export function createEnvironmentRequests(deps: EnvironmentRequestsDeps): EnvironmentRequests {
  const { operator, sessionsOf, timeoutMs = 5_000 } = deps
  const questions = createQuestions<Envelope>({ sessionsOf, timeoutMs, about: 'A request for an environment' })
  return {
    environmentOf: (job, onLost) => async (publicKey, signal) => {
      const { requestId, ticket } = job
      try {
        const message = { type: 'environment', requestId, publicKey } as const
        const given = await questions.ask({ requester: ticket.requester, requestId, key: requestId, message }, signal)
        await checkEnvelope(deps, job, publicKey, given)
        const { encapsulatedKey, sealed } = given
        return { context: toBase64(environmentContext(requestId, operator)), encapsulatedKey, sealed }
      } catch (error) {
        // Who ended the execution needs no reason from here.
        if (!signal.aborted) onLost({ reason: 'environment-unavailable', error })
        throw error
      }
    },
    answer: (session, message) => {
      if (message.type === 'environment-sealed') questions.answer(session, message.requestId, message)
      else questions.refuse(session, message.requestId, message.reason)
    },
    lost: questions.lost,
  }
}

/** Throws `response_mismatch` when the requester has not signed the envelope for exactly this execution. */
async function checkEnvelope(
  { domain, signing, operator }: EnvironmentRequestsDeps,
  { requestId, ticket }: Pick<Job, 'requestId' | 'ticket'>,
  publicKey: string,
  envelope: Envelope,
): Promise<void> {
  const digest = hashEnvironmentEnvelope(domain, { requestId, operator, publicKey }, envelope)
  const signer = await signing.recover(digest, envelope.signature)
  if (signer && sameHex(signer, ticket.requester)) return
  throw new PeerHostError('response_mismatch', 'The environment is not signed by the requester.', {
    details: [`Request: ${requestId}`],
  })
}
