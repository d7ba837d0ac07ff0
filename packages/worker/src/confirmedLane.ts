import { setTimeout as sleep } from 'node:timers/promises'
import { fromBase64, type GatewayMessage, sameHex } from '@peerhost/protocol'
import { type Address, type Hex, hexToBytes, size, slice } from 'viem'
import type { JobOffer } from './acceptJob.ts'
import type { Lane, PostedRequest } from './chain/lane.ts'
import { type GatewaySession, sessionsOf } from './gatewaySession.ts'

type InputAnswer = Extract<GatewayMessage, { type: 'input-given' | 'input-unknown' }>

export type ConfirmedLaneDeps = {
  /** The gateways that this worker is connected to. */
  sessions: () => readonly GatewaySession[]
  /** Runs the offer and brings its result to the chain. `busy`: no slot for it now; `not-seated`: another one was drawn. */
  run: (offer: JobOffer) => Promise<PostedEnd>
  lane: Pick<Lane, 'readPosted' | 'readHead'>
  /** Blocks after a post from which seats are open to all. */
  wideningBlocks: (posted: PostedRequest) => Promise<number>
  now: () => number
  waitMs?: number
}

export type PostedEnd = 'done' | 'busy' | 'not-seated'

/** Turns requests that stand on chain into jobs. */
export type ConfirmedLane = {
  /** The input of a request, from the gateway that is its requester, or from the first that gives it. */
  askInput: (requestId: Hex, requester?: Address) => Promise<{ salt: Hex; input: Uint8Array } | undefined>
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
      const session = sessionsOf(deps.sessions(), posted.ticket.requester)[0]
      const answer = session && (await ask(session, posted.requestId))
      if (answer?.type === 'input-given') return { salt: answer.salt, input: fromBase64(answer.input) }
      if (answer?.type === 'input-unknown') return undefined
      await sleep(waitMs, undefined, { signal }).catch(() => {})
    }
    return undefined
  }

  /** True when nobody answered so long that the request is open to every operator. */
  async function isWidened(posted: PostedRequest, signal: AbortSignal): Promise<boolean> {
    const blocks = BigInt(await deps.wideningBlocks(posted))
    while (msLeft(posted) > 0 && !signal.aborted) {
      const { status, postedBlock, openings } = await deps.lane.readPosted(posted.requestId)
      if (status !== 'open' || openings >= posted.ticket.quorum) return false
      if ((await deps.lane.readHead()) >= postedBlock + blocks) return true
      await sleep(waitMs, undefined, { signal }).catch(() => {})
    }
    return false
  }

  /** Until it was run, or need not be. */
  async function run(offer: JobOffer, posted: PostedRequest, signal: AbortSignal): Promise<PostedEnd> {
    while (msLeft(posted) > 0 && !signal.aborted) {
      const end = await deps.run(offer)
      if (end !== 'busy') return end
      await sleep(waitMs, undefined, { signal }).catch(() => {})
    }
    return 'done'
  }

  return {
    askInput: async (requestId, requester) => {
      for (const session of deps.sessions()) {
        const gateway = session.gateway()
        if (!gateway || (requester && !sameHex(gateway, requester))) continue
        const answer = await ask(session, requestId)
        if (answer?.type === 'input-given') return { salt: answer.salt, input: fromBase64(answer.input) }
      }
      return undefined
    },
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
      if ((await run(offer, posted, signal)) !== 'not-seated') return
      if (await isWidened(posted, signal)) await run({ ...offer, widened: true }, posted, signal)
    },
    answer: (message) => questions.get(message.requestId)?.(message),
  }
}

/** `salt ‖ canonical request`, or nothing. */
export function inputFromCalldata(input: Hex): { salt: Hex; input: Uint8Array } | undefined {
  if (size(input) <= saltBytes) return undefined
  return { salt: slice(input, 0, saltBytes), input: hexToBytes(slice(input, saltBytes)) }
}
