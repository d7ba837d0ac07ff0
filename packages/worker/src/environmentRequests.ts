import { environmentContext, type GatewayMessage, PeerHostError, toBase64 } from '@peerhost/protocol'
import type { Address } from 'viem'
import type { Job } from './acceptJob.ts'
import type { GatewaySession } from './gatewaySession.ts'
import { createQuestions } from './questions.ts'
import type { RunLoss } from './runLoss.ts'
import type { SealEnvironment } from './sandbox/environment.ts'

type AnswerMessage = Extract<GatewayMessage, { type: 'environment-sealed' | 'environment-failed' }>

export type EnvironmentRequestsDeps = {
  operator: Address
  /** The open sessions with a requester. */
  sessionsOf: (requester: Address) => readonly GatewaySession[]
  timeoutMs?: number
}

/** Environments on their way from their requesters into the sandbox, sealed. */
export type EnvironmentRequests = {
  /** Asks for the environment of one job. `onLost` is told when there is none: then this run is not attested. */
  environmentOf: (job: Pick<Job, 'requestId' | 'ticket'>, onLost: (loss: RunLoss) => void) => SealEnvironment
  /** A requester's message about an environment. */
  answer: (session: GatewaySession, message: AnswerMessage) => void
  /** A session is closed: what was asked over it has no answer any more. */
  lost: (session: GatewaySession) => void
}

export function createEnvironmentRequests({
  operator,
  sessionsOf,
  timeoutMs = 5_000,
}: EnvironmentRequestsDeps): EnvironmentRequests {
  const questions = createQuestions<AnswerMessage>({ sessionsOf, timeoutMs, about: 'A request for an environment' })
  return {
    environmentOf:
      ({ requestId, ticket: { requester } }, onLost) =>
      async (publicKey, signal) => {
        try {
          const message = { type: 'environment', requestId, publicKey } as const
          const answer = await questions.ask({ requester, key: requestId, message }, signal)
          if (answer.type === 'environment-failed') throw new PeerHostError('gateway_unavailable', answer.reason)
          const { encapsulatedKey, sealed } = answer
          return { context: toBase64(environmentContext(requestId, operator)), encapsulatedKey, sealed }
        } catch (error) {
          // Who ended the execution needs no reason from here.
          if (!signal.aborted) onLost({ reason: 'environment-unavailable', error })
          throw error
        }
      },
    answer: (session, message) => questions.answer(session, message.requestId, message),
    lost: questions.lost,
  }
}
