import { PeerHostError } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { GatewaySession } from './gatewaySession.ts'

/** The open sessions with a requester, beginning with the one that gave this request away. */
export type SessionsOf = (requester: Address, requestId: Hex) => readonly GatewaySession[]

export type QuestionsDeps = {
  sessionsOf: SessionsOf
  /** For all sessions together. */
  timeoutMs: number
  /** What is asked for, as a sentence begins with it: “An outgoing call”. */
  about: string
}

type Question = { requester: Address; requestId: Hex; key: string; message: Parameters<GatewaySession['send']>[0] }

/** What a job's run asks its requester, over a session, and waits for. */
export type Questions<Answer> = {
  /**
   * Asks and waits. A requester may be there more than once, and only the process that gave the job away may know of it: its sessions are
   * asked in turn until one answers. Rejects with `gateway_unavailable` when none does, or not in time.
   */
  ask: (question: Question, signal: AbortSignal) => Promise<Answer>
  /** An answer counts only from the session that was asked. */
  answer: (session: GatewaySession, key: string, answer: Answer) => void
  /** The session that was asked has no answer. */
  refuse: (session: GatewaySession, key: string, reason: string) => void
  /** A session is closed: what was asked over it has no answer any more. */
  lost: (session: GatewaySession) => void
}

export function createQuestions<Answer>({ sessionsOf, timeoutMs, about }: QuestionsDeps): Questions<Answer> {
  type Waiter = { session: GatewaySession; resolve: (answer: Answer) => void; reject: (error: unknown) => void }
  const waiting = new Map<string, Waiter>()
  const unavailable = (reason: string) => new PeerHostError('gateway_unavailable', `${about} has no answer. ${reason}`)

  const askOne = async (session: GatewaySession, { key, message }: Question, ended: AbortSignal): Promise<Answer> => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const onEnd = () => reject(unavailable('The requester gave no answer in time.'))
    waiting.set(key, { session, resolve, reject })
    ended.addEventListener('abort', onEnd, { once: true })
    try {
      if (ended.aborted) onEnd()
      else if (!session.send(message)) reject(unavailable('The connection to the requester is gone.'))
      return await promise
    } finally {
      ended.removeEventListener('abort', onEnd)
      waiting.delete(key)
    }
  }

  return {
    ask: async (question, signal) => {
      const ended = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      let failure: unknown = unavailable('The requester is not connected.')
      for (const session of sessionsOf(question.requester, question.requestId)) {
        if (waiting.has(question.key)) throw unavailable('It was asked for twice at one time.')
        try {
          return await askOne(session, question, ended)
        } catch (error) {
          failure = error
          if (ended.aborted) break
        }
      }
      throw failure
    },
    answer: (session, key, answer) => {
      const waiter = waiting.get(key)
      if (waiter?.session === session) waiter.resolve(answer)
    },
    refuse: (session, key, reason) => {
      const waiter = waiting.get(key)
      if (waiter?.session === session) waiter.reject(unavailable(reason))
    },
    lost: (session) => {
      for (const waiter of waiting.values())
        if (waiter.session === session) waiter.reject(unavailable('The connection to the requester is gone.'))
    },
  }
}
