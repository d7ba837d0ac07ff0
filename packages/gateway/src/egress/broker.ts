import {
  type DigestSigner,
  decodeEgressCall,
  type EgressAnswer,
  type EgressCall,
  encodeEgressAnswer,
  hashEgressAnswer,
  hashEgressCall,
  hashEgressTranscript,
  LIMITS,
  type NetworkAccess,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  type Ticket,
} from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { Address, Hex } from 'viem'
import type { Database } from '../database/database.ts'
import type { EgressNetwork } from './egressNetwork.ts'
import { countBytes, findCall, insertCall, saveAnswer } from './egressTable.ts'
import { makeCall } from './makeCall.ts'
import { refusal } from './refusal.ts'

export type BrokerDeps = {
  database: Database
  domain: ProtocolDomain
  signer: DigestSigner
  log: Logger
  network: EgressNetwork
  /** Where the deployment of a ticket may call; `undefined` when it declares no network. */
  accessOf: (ticket: Ticket) => Promise<NetworkAccess | undefined>
  /** The secrets that the ticket's environment has for a function's hosts. */
  secretsFor: (ticket: Ticket, access: NetworkAccess) => Promise<ReadonlyMap<string, string>>
  now: () => number
}

/** A call that a worker asks for, on behalf of a request that it runs. */
export type AskedCall = { requestId: Hex; ticket: Ticket; worker: Address; index: number; call: Uint8Array }

/** Canonical answer and the requester's signature over it and its call. */
export type Transcript = { answer: Uint8Array; signature: Hex }

/**
 * Makes the outgoing calls of requests, each once: whoever asks for the same call of the same request again gets the recorded
 * bytes, whoever asks for another one at its index gets `egress_diverged`.
 */
export type EgressBroker = {
  /** Throws `request_invalid` for what is no call, and whatever the database throws: then there is no answer. */
  answer: (asked: AskedCall, signal: AbortSignal) => Promise<Transcript>
}

type UnderWay = { callDigest: Hex; transcript: Promise<Transcript> }

export function createEgressBroker(deps: BrokerDeps): EgressBroker {
  const underWay = new Map<string, UnderWay>()
  const budgets = createBudgets(deps.database)

  /** What is said to one worker only, and not recorded. */
  const aside = async (asked: AskedCall, callDigest: Hex, answer: EgressAnswer): Promise<Transcript> =>
    sign(deps, asked, callDigest, encodeEgressAnswer(answer))

  return {
    answer: async (asked, signal) => {
      const call = decodeEgressCall(asked.call)
      const callDigest = hashEgressCall(asked.call)
      const access = await deps.accessOf(asked.ticket)
      if (!access) return aside(asked, callDigest, refusal('egress_not_declared', 'The function declares no network.'))
      if (asked.index >= access.maxCalls) {
        const message = `The function makes more than ${access.maxCalls} calls.`
        return aside(asked, callDigest, refusal('egress_too_many_calls', message))
      }
      const key = `${asked.requestId}:${asked.index}`
      const running = underWay.get(key)
      if (running) {
        if (running.callDigest === callDigest) return running.transcript
        return aside(asked, callDigest, diverged)
      }
      const transcript = once(deps, budgets, { ...asked, access, decoded: call, callDigest }, signal)
      underWay.set(key, { callDigest, transcript })
      try {
        return await transcript
      } finally {
        underWay.delete(key)
      }
    },
  }
}

const diverged = refusal('egress_diverged', 'Another worker made another call at this place.')
const interrupted = refusal(
  'egress_interrupted',
  'The gateway stopped while it made this call: what came of it is not known.',
)

type OneCall = AskedCall & { access: NetworkAccess; decoded: EgressCall; callDigest: Hex }

/** The recorded answer, or the call itself, written down before and after. */
async function once(deps: BrokerDeps, budgets: Budgets, one: OneCall, signal: AbortSignal): Promise<Transcript> {
  const { requestId, index, callDigest, worker, call } = one
  const known = await findCall(deps.database, requestId, index)
  if (known && known.callDigest !== callDigest) return sign(deps, one, callDigest, encodeEgressAnswer(diverged))
  if (known?.answer && known.signature) return { answer: known.answer, signature: known.signature }
  const budget = await budgets.open(requestId)
  try {
    const sent = call.length
    if (!known) {
      const begun = { requestId, index, callDigest, worker, bytes: sent }
      if (!(await insertCall(deps.database, begun, deps.now()))) throw new Error('Two processes make one call.')
    }
    const before = budget.used
    const answer = known && !isSafe(one.decoded.method) ? interrupted : await carryOut(deps, one, budget, sent, signal)
    const bytes = encodeEgressAnswer(answer)
    const transcript = await sign(deps, one, callDigest, bytes)
    await saveAnswer(deps.database, { requestId, index, bytes: Math.max(sent, budget.used - before), ...transcript })
    report(deps, one, answer)
    return transcript
  } finally {
    budgets.close(requestId)
  }
}

async function carryOut(
  deps: BrokerDeps,
  { ticket, access, decoded }: OneCall,
  budget: Budget,
  sent: number,
  signal: AbortSignal,
): Promise<EgressAnswer> {
  const spend = (bytes: number): boolean => {
    budget.used += bytes
    return budget.used <= LIMITS.egressTotalBytes
  }
  if (!spend(sent)) return refusal('egress_budget_spent', 'The calls of this request moved too many bytes.')
  const secrets = await deps.secretsFor(ticket, access)
  const ended = AbortSignal.any([signal, AbortSignal.timeout(LIMITS.egressCallMs)])
  const answer = await makeCall(
    deps.network,
    decoded,
    { access, secrets, maxResponseBytes: LIMITS.egressResponseBytes, spend },
    ended,
  )
  // A gateway that stops has no answer: what it would record is about itself.
  signal.throwIfAborted()
  return answer
}

/** A call that may be made again when it is not known whether it was made. */
function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

async function sign(
  { domain, signer }: Pick<BrokerDeps, 'domain' | 'signer'>,
  { requestId, index }: Pick<AskedCall, 'requestId' | 'index'>,
  callDigest: Hex,
  answer: Uint8Array,
): Promise<Transcript> {
  const answerDigest = hashEgressAnswer(answer)
  const message = { protocolVersion: PROTOCOL_VERSION, requestId, index, callDigest, answerDigest }
  return { answer, signature: await signer.sign(hashEgressTranscript(domain, message)) }
}

/** Host and outcome only: paths, headers and bodies may hold what is nobody's business. */
function report(
  { log }: Pick<BrokerDeps, 'log'>,
  { requestId, index, worker, decoded }: OneCall,
  answer: EgressAnswer,
) {
  const outcome = answer.type === 'answered' ? { status: answer.status } : { refused: answer.code }
  log.info({ requestId, index, worker, host: new URL(decoded.url).host, method: decoded.method, ...outcome }, 'egress')
}

type Budget = { used: number }
type Budgets = { open: (requestId: Hex) => Promise<Budget>; close: (requestId: Hex) => void }

/** Bytes per request, shared by its calls while any is under way. */
function createBudgets(database: Database): Budgets {
  const open = new Map<Hex, { budget: Promise<Budget>; calls: number }>()
  return {
    open: (requestId) => {
      const shared = open.get(requestId) ?? {
        budget: countBytes(database, requestId).then((used) => ({ used })),
        calls: 0,
      }
      shared.calls++
      open.set(requestId, shared)
      return shared.budget
    },
    close: (requestId) => {
      const shared = open.get(requestId)
      if (shared && --shared.calls === 0) open.delete(requestId)
    },
  }
}
