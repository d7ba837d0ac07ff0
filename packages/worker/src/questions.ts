import { PeerHostError } from '@peerhost/protocol'
import type { Address } from 'viem'
import type { GatewaySession } from './gatewaySession.ts'

export type QuestionsDeps = {
  /** The open sessions with a requester. */
  sessionsOf: (requester: Address) => readonly GatewaySession[]
  timeoutMs: number
  /** What is asked for, as a sentence begins with it: “An outgoing call”. */
  about: string
}

/** What a job's run asks its requester, over a session, and waits for. */
export type Questions<Answer> = {
  /** Asks and waits. Rejects with `gateway_unavailable` when nobody is there, or no answer comes in time or any more. */
  ask: (
    question: { requester: Address; key: string; message: Parameters<GatewaySession['send']>[0] },
    signal: AbortSignal,
  ) => Promise<Answer>
  /** An answer counts only from the session that was asked. */
  answer: (session: GatewaySession, key: string, answer: Answer) => void
  /** A session is closed: what was asked over it has no answer any more. */
  lost: (session: GatewaySession) => void
  unavailable: (message: string) => PeerHostError
}

export function createQuestions<Answer>({ sessionsOf, timeoutMs, about }: QuestionsDeps): Questions<Answer> {
  type Waiter = { session: GatewaySession; resolve: (answer: Answer) => void; reject: (error: unknown) => void }
  const waiting = new Map<string, Waiter>()
  const unavailable = (message: string) =>
    new PeerHostError('gateway_unavailable', `${about} has no answer. ${message}`)
  return {
    unavailable,
    ask: async ({ requester, key, message }, signal) => {
      const [session] = sessionsOf(requester)
      if (!session) throw unavailable('The requester is not connected.')
      if (waiting.has(key)) throw unavailable('It was asked for twice at one time.')
      const ended = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      const { promise, resolve, reject } = Promise.withResolvers<Answer>()
      const onEnd = () => reject(unavailable('The requester gave no answer in time.'))
      waiting.set(key, { session, resolve, reject })
      ended.addEventListener('abort', onEnd, { once: true })
      try {
        if (ended.aborted || !session.send(message)) onEnd()
        return await promise
      } finally {
        ended.removeEventListener('abort', onEnd)
        waiting.delete(key)
      }
    },
    answer: (session, key, answer) => {
      const waiter = waiting.get(key)
      if (waiter?.session === session) waiter.resolve(answer)
    },
    lost: (session) => {
      for (const waiter of waiting.values())
        if (waiter.session === session) waiter.reject(unavailable('The connection to the requester is gone.'))
    },
  }
}
