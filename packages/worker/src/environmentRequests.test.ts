import {
  type EnvelopeRecipient,
  environmentContext,
  hashEnvironmentEnvelope,
  pureSigning,
  toBase64,
  type WorkerMessage,
} from '@peerhost/protocol'
import type { Address } from 'viem'
import { beforeEach, describe, expect, it } from 'vitest'
import { domain, executionKey, offerOf, requester } from '../test/fixture/tickets.ts'
import type { JobOffer } from './acceptJob.ts'
import { createEnvironmentRequests } from './environmentRequests.ts'
import type { GatewaySession } from './gatewaySession.ts'
import type { RunLoss } from './runLoss.ts'

const operator: Address = `0x${'0a'.repeat(20)}`
const publicKey = toBase64(new Uint8Array(32).fill(1))
const sealed = { encapsulatedKey: toBase64(new Uint8Array(32).fill(2)), sealed: toBase64(new Uint8Array([3])) }
const never = new AbortController().signal

let job: JobOffer
let asked: WorkerMessage[]
let losses: RunLoss[]
let requests: ReturnType<typeof createEnvironmentRequests>
let session: GatewaySession
/** What the requester does when it is asked. */
let reply: () => unknown

beforeEach(async () => {
  job = await offerOf()
  asked = []
  losses = []
  session = sessionWith((message) => {
    asked.push(message)
    reply()
  })
  reply = async () => requests.answer(session, await envelopeFor())
  requests = createEnvironmentRequests({
    operator,
    domain,
    signing: pureSigning,
    sessionsOf: (wanted) => (wanted === requester.address ? [session] : []),
    timeoutMs: 200,
  })
})

const sessionWith = (onSent: (message: WorkerMessage) => void): GatewaySession => ({
  url: 'ws://gateway',
  gateway: () => requester.address,
  send: (message) => {
    onSent(message)
    return true
  },
  close: async () => undefined,
})
/** What the requester sends: signed for this request, operator and key unless told otherwise. */
async function envelopeFor(changes: Partial<EnvelopeRecipient> = {}, signer = requester) {
  const { requestId } = job
  const digest = hashEnvironmentEnvelope(domain, { requestId, operator, publicKey, ...changes }, sealed)
  return { type: 'environment-sealed', requestId, ...sealed, signature: await signer.sign(digest) } as const
}
const ask = (signal = never) => requests.environmentOf(job, (loss) => losses.push(loss))(publicKey, signal)

it('asks the requester for its sandbox’s key, and binds the envelope to request and operator', async () => {
  const context = toBase64(environmentContext(job.requestId, operator))
  expect(await ask()).toEqual({ ...sealed, context })
  expect(asked).toEqual([{ type: 'environment', requestId: job.requestId, publicKey }])
  expect(losses).toEqual([])
})

describe('the run is given up', () => {
  it.each([
    [
      'when the requester refuses',
      () => requests.answer(session, { type: 'environment-failed', requestId: job.requestId, reason: 'no' }),
    ],
    ['when the connection is lost', () => requests.lost(session)],
    ['when there is no answer in time', () => {}],
    [
      'when only somebody else answers',
      async () =>
        requests.answer(
          sessionWith(() => {}),
          await envelopeFor(),
        ),
    ],
  ])('%s', async (_, happens) => {
    reply = happens
    await expect(ask()).rejects.toMatchObject({ code: 'gateway_unavailable' })
    expect(losses).toMatchObject([{ reason: 'environment-unavailable' }])
  })

  it.each([
    ['somebody else', () => envelopeFor({}, executionKey)],
    ['the requester for another request', () => envelopeFor({ requestId: `0x${'11'.repeat(32)}` })],
    ['the requester for another operator', () => envelopeFor({ operator: requester.address })],
    ['the requester for another key', () => envelopeFor({ publicKey: sealed.encapsulatedKey })],
    [
      'the requester for another envelope',
      async () => ({ ...(await envelopeFor()), sealed: toBase64(new Uint8Array([4])) }),
    ],
  ])('when the envelope is signed by %s', async (_, envelope) => {
    reply = async () => requests.answer(session, await envelope())
    await expect(ask()).rejects.toMatchObject({ code: 'response_mismatch' })
    expect(losses).toMatchObject([{ reason: 'environment-unavailable' }])
  })

  it('without a reason of its own when somebody ended it', async () => {
    const stop = new AbortController()
    reply = () => stop.abort()
    await expect(ask(stop.signal)).rejects.toThrow()
    expect(losses).toEqual([])
  })
})
