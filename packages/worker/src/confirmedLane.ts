import { setTimeout as sleep } from 'node:timers/promises'
import { fromBase64, type GatewayMessage, sameHex } from '@peerhost/protocol'
import { type Address, type Hex, hexToBytes, size, slice } from 'viem'
import type { JobOffer } from './acceptJob.ts'
import type { PostedRequest } from './chain/coordinator.ts'
import type { GatewaySession } from './gatewaySession.ts'

type InputAnswer = Extract<GatewayMessage, { type: 'input-given' | 'input-unknown' }>

export type ConfirmedLaneDeps = {
  /** The gateways that this worker is connected to. */
  sessions: () => readonly GatewaySession[]
  /** Runs the offer and puts its attestation on chain; `busy` when there is no slot for it now. */
  run: (offer: JobOffer) => Promise<'done' | 'busy'>
  now: () => number
  waitMs?: number
}

/** Turns requests that stand on chain into jobs. */
export type ConfirmedLane = {
  /** Over when the request was run, or need not be. */
  take: (posted: PostedRequest, signal: AbortSignal) => Promise<void>
  /** A gateway's answer to a question for an input. */
  answer: (message: InputAnswer) => void
}

const saltBytes = 32
const answerTimeoutMs = 5_000

export function createConfirmedLane(deps: ConfirmedLaneDeps): ConfirmedLane {
  const questions = new Map<Hex, (answer: InputAnswer | undefined) => void>()
  const waitMs = deps.waitMs ?? 200
  const msLeft = ({ ticket }: PostedRequest) => ticket.deadline * 1_000 - deps.now()

  async function ask(session: GatewaySession, requestId: Hex): Promise<InputAnswer | undefined> {
    const { promise, resolve } = Promise.withResolvers<InputAnswer | undefined>()
    questions.set(requestId, resolve)
    const timer = setTimeout(() => resolve(undefined), answerTimeoutMs)
    try {
      return session.send({ type: 'input', requestId }) ? await promise : undefined
    } finally {
      clearTimeout(timer)
      questions.delete(requestId)
    }
  }

  /** The input of a request whose calldata does not hold it: its requester has it. */
  async function inputFromRequester(posted: PostedRequest, signal: AbortSignal) {
    while (msLeft(posted) > 0 && !signal.aborted) {
      const session = sessionOf(deps.sessions(), posted.ticket.requester)
      const answer = session && (await ask(session, posted.requestId))
      if (answer?.type === 'input-given') return { salt: answer.salt, input: fromBase64(answer.input) }
      if (answer?.type === 'input-unknown') return undefined
      await sleep(waitMs, undefined, { signal }).catch(() => {})
    }
    return undefined
  }

  return {
    take: async (posted, signal) => {
      if (msLeft(posted) <= 0) return
      const fromCalldata = inputFromCalldata(posted.input)
      const found = fromCalldata ?? (await inputFromRequester(posted, signal))
      if (!found) return
      const { requestId, ticket } = posted
      const offer: JobOffer = {
        requestId,
        ticket,
        signature: '0x',
        ...found,
        source: 'chain',
        publicInput: fromCalldata !== undefined,
      }
      while (msLeft(posted) > 0 && !signal.aborted) {
        if ((await deps.run(offer)) === 'done') return
        await sleep(waitMs, undefined, { signal }).catch(() => {})
      }
    },
    answer: (message) => questions.get(message.requestId)?.(message),
  }
}

/** `salt ‖ canonical request`, or nothing. */
function inputFromCalldata(input: Hex): { salt: Hex; input: Uint8Array } | undefined {
  if (size(input) <= saltBytes) return undefined
  return { salt: slice(input, 0, saltBytes), input: hexToBytes(slice(input, saltBytes)) }
}

function sessionOf(sessions: readonly GatewaySession[], requester: Address): GatewaySession | undefined {
  return sessions.find((session) => {
    const gateway = session.gateway()
    return gateway !== undefined && sameHex(gateway, requester)
  })
}
