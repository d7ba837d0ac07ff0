import {
  canonicalEgressCall,
  decodeEgressAnswer,
  encodeEgressCall,
  fromBase64,
  type GatewayMessage,
  hashEgressAnswer,
  hashEgressCall,
  hashEgressTranscript,
  LIMITS,
  PeerHostError,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  type EgressAnswer as RecordedAnswer,
  type Signing,
  sameHex,
  toBase64,
} from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { Job } from './acceptJob.ts'
import type { GatewaySession } from './gatewaySession.ts'
import { createQuestions, type SessionsOf } from './questions.ts'
import type { RunLoss } from './runLoss.ts'
import type { Egress, EgressAnswer } from './sandbox/egress.ts'

type AnsweredCall = Extract<GatewayMessage, { type: 'egress-answer' }>
type AnswerMessage = AnsweredCall | Extract<GatewayMessage, { type: 'egress-failed' }>

export type EgressCallsDeps = {
  domain: ProtocolDomain
  signing: Signing
  sessionsOf: SessionsOf
  /** Beyond the time that the broker has for a call. */
  graceMs?: number
}

/** Outgoing calls on their way to the brokers of their requesters, and back. */
export type EgressCalls = {
  /**
   * Makes the calls of one job. What the function sees is what the requester has signed for this call of this request, or a
   * refusal that every worker gives alike. `onLost` is told when there is neither, or when the request's record shows another call
   * at this place: then this run is not attested.
   */
  egressOf: (job: Pick<Job, 'requestId' | 'ticket'>, onLost: (loss: RunLoss) => void) => Egress
  /** A requester's message about a call. */
  answer: (session: GatewaySession, message: AnswerMessage) => void
  /** A session is closed: its calls have no answer any more. */
  lost: (session: GatewaySession) => void
}

export function createEgressCalls(deps: EgressCallsDeps): EgressCalls {
  const timeoutMs = LIMITS.egressCallMs + (deps.graceMs ?? 5_000)
  const questions = createQuestions<AnsweredCall>({ ...deps, timeoutMs, about: 'An outgoing call' })

  return {
    egressOf: (job, onLost) => async (raw, signal) => {
      try {
        if (raw.index >= LIMITS.egressCalls) return tooMany
        const canonical = canonicalEgressCall(raw)
        if (!canonical.ok) return { type: 'refused', code: canonical.code, message: canonical.message }
        const call = encodeEgressCall(canonical.call)
        const { requestId, ticket } = job
        const question = { type: 'egress', requestId, index: raw.index, call: toBase64(call) } as const
        const key = keyOf(requestId, raw.index)
        const given = await questions.ask({ requester: ticket.requester, requestId, key, message: question }, signal)
        const answer = await checkTranscript(deps, job, raw.index, call, given)
        if (answer.type === 'refused' && answer.code === 'egress_diverged') throw diverged(answer.message)
        return toAnswer(answer)
      } catch (error) {
        // Who ended the execution needs no reason from here.
        if (!signal.aborted) onLost({ reason: isDiverged(error) ? 'egress-diverged' : 'egress-unavailable', error })
        throw error
      }
    },
    answer: (session, message) => {
      const key = keyOf(message.requestId, message.index)
      if (message.type === 'egress-answer') questions.answer(session, key, message)
      else questions.refuse(session, key, message.reason)
    },
    lost: questions.lost,
  }
}

/** The answer, when the requester has signed it for exactly this call. Throws `response_mismatch`. */
async function checkTranscript(
  { domain, signing }: Pick<EgressCallsDeps, 'domain' | 'signing'>,
  { requestId, ticket }: Pick<Job, 'requestId' | 'ticket'>,
  index: number,
  call: Uint8Array,
  { answer, signature }: AnsweredCall,
): Promise<RecordedAnswer> {
  const bytes = fromBase64(answer)
  const digest = hashEgressTranscript(domain, {
    protocolVersion: PROTOCOL_VERSION,
    requestId,
    index,
    callDigest: hashEgressCall(call),
    answerDigest: hashEgressAnswer(bytes),
  })
  const signer = await signing.recover(digest, signature)
  if (signer && sameHex(signer, ticket.requester)) return decodeEgressAnswer(bytes)
  throw new PeerHostError('response_mismatch', 'The answer to an outgoing call is not signed by the requester.', {
    details: [`Request: ${requestId}`, `Call: ${index}`],
  })
}

function toAnswer(answer: RecordedAnswer): EgressAnswer {
  if (answer.type === 'refused') return { type: 'refused', code: answer.code, message: answer.message }
  const { status, headers, url, redirected } = answer
  return { type: 'answered', status, headers, url, redirected, body: fromBase64(answer.body) }
}

/** No function may make more, whatever it declares: nobody needs to be asked. */
const tooMany: EgressAnswer = {
  type: 'refused',
  code: 'egress_too_many_calls',
  message: `The function makes more than ${LIMITS.egressCalls} calls.`,
}

function keyOf(requestId: Hex, index: number): string {
  return `${requestId}:${index}`
}

function diverged(message: string): PeerHostError {
  return new PeerHostError('result_conflict', message)
}

function isDiverged(error: unknown): boolean {
  return error instanceof PeerHostError && error.code === 'result_conflict'
}
