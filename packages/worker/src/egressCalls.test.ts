import {
  canonicalEgressCall,
  type DigestSigner,
  decodeEgressCall,
  type EgressAnswer,
  encodeEgressAnswer,
  fromBase64,
  hashEgressAnswer,
  hashEgressCall,
  hashEgressTranscript,
  LIMITS,
  pureSigning,
  toBase64,
  type WorkerMessage,
} from '@peerhost/protocol'
import { beforeEach, describe, expect, it } from 'vitest'
import { domain, executionKey, offerOf, requester } from '../test/fixture/tickets.ts'
import type { JobOffer } from './acceptJob.ts'
import { createEgressCalls } from './egressCalls.ts'
import type { GatewaySession } from './gatewaySession.ts'
import type { RunLoss } from './runLoss.ts'
import type { EgressCall } from './sandbox/egress.ts'

type Asked = Extract<WorkerMessage, { type: 'egress' }>

const answered: EgressAnswer = {
  v: 1,
  type: 'answered',
  status: 201,
  headers: [['x-a', 'b']],
  body: toBase64(new Uint8Array([0, 255])),
  url: 'https://api.example.com/',
  redirected: false,
}
const call = (changes: Partial<EgressCall> = {}): EgressCall => ({
  index: 0,
  method: 'GET',
  url: 'https://api.example.com/#part',
  headers: [],
  body: new Uint8Array(),
  ...changes,
})
const never = new AbortController().signal

let job: JobOffer
let losses: RunLoss[]
let asked: Asked[]
let connected: boolean
/** What the requester does with a call that it is asked for. */
let reply: (message: Asked) => void
let session: GatewaySession
let calls: ReturnType<typeof createEgressCalls>

beforeEach(async () => {
  job = await offerOf()
  losses = []
  asked = []
  connected = true
  reply = (message) => void sign(message).then((signed) => calls.answer(session, signed))
  session = {
    url: 'ws://gateway',
    gateway: () => requester.address,
    send: (message) => {
      if (message.type !== 'egress' || !connected) return false
      asked.push(message)
      reply(message)
      return true
    },
    close: async () => undefined,
  }
  calls = createEgressCalls({ domain, signing: pureSigning, sessionsOf: () => [session], graceMs: 0 })
})

async function sign(
  { requestId, index, call: bytes }: Asked,
  answer: EgressAnswer = answered,
  by: DigestSigner = requester,
) {
  const encoded = encodeEgressAnswer(answer)
  const digest = hashEgressTranscript(domain, {
    protocolVersion: 1,
    requestId,
    index,
    callDigest: hashEgressCall(fromBase64(bytes)),
    answerDigest: hashEgressAnswer(encoded),
  })
  const signature = await by.sign(digest)
  return { type: 'egress-answer', requestId, index, answer: toBase64(encoded), signature } as const
}

const egress = () => calls.egressOf(job, (loss) => losses.push(loss))

describe('a call', () => {
  it('goes to the requester in its one spelling, and comes back as it was signed', async () => {
    expect(await egress()(call(), never)).toEqual({
      type: 'answered',
      status: 201,
      headers: [['x-a', 'b']],
      body: new Uint8Array([0, 255]),
      url: 'https://api.example.com/',
      redirected: false,
    })
    expect(asked).toMatchObject([{ requestId: job.requestId, index: 0 }])
    expect(decodeEgressCall(fromBase64(asked[0]?.call ?? ''))).toMatchObject({ url: 'https://api.example.com/' })
    expect(losses).toEqual([])
  })

  it('that the requester refused is refused to the function', async () => {
    const refused = { v: 1, type: 'refused', code: 'egress_host_not_allowed', message: 'no' } as const
    reply = (message) => void sign(message, refused).then((signed) => calls.answer(session, signed))
    expect(await egress()(call(), never)).toEqual({ type: 'refused', code: refused.code, message: 'no' })
    expect(losses).toEqual([])
  })

  it.each([
    ['over http', call({ url: 'http://api.example.com/' }), 'egress_url_refused'],
    ['with a user', call({ url: 'https://a:b@api.example.com/' }), 'egress_url_refused'],
    ['beyond what any function may make', call({ index: LIMITS.egressCalls }), 'egress_too_many_calls'],
  ])('%s is refused here, as everywhere', async (_, raw, code) => {
    expect(await egress()(raw, never)).toMatchObject({ type: 'refused', code })
    expect(asked).toEqual([])
    expect(losses).toEqual([])
  })

  it('has its own answer, in whatever order they come', async () => {
    const held: Asked[] = []
    reply = (message) => void held.push(message)
    const make = egress()
    const both = [make(call({ index: 0 }), never), make(call({ index: 1 }), never)]
    for (const message of held.reverse())
      calls.answer(session, await sign(message, { ...answered, status: 200 + message.index }))
    expect(await Promise.all(both)).toMatchObject([{ status: 200 }, { status: 201 }])
  })
})

describe('a run is given up', () => {
  it.each([
    ['another key', (message: Asked) => sign(message, answered, executionKey)],
    ['another call', (message: Asked) => sign({ ...message, call: otherCall })],
    ['another place', async (message: Asked) => ({ ...(await sign({ ...message, index: 1 })), index: 0 })],
    [
      'another request',
      async (message: Asked) => ({
        ...(await sign({ ...message, requestId: `0x${'99'.repeat(32)}` })),
        requestId: message.requestId,
      }),
    ],
    [
      'another answer',
      async (message: Asked) => ({
        ...(await sign(message)),
        answer: toBase64(encodeEgressAnswer({ ...answered, status: 202 })),
      }),
    ],
  ])('when the answer is signed for %s', async (_, forge) => {
    reply = (message) => void forge(message).then((signed) => calls.answer(session, signed))
    await expect(egress()(call(), never)).rejects.toMatchObject({ code: 'response_mismatch' })
    expect(losses).toMatchObject([{ reason: 'egress-unavailable' }])
  })

  it('when the record shows another call at this place', async () => {
    const refused = { v: 1, type: 'refused', code: 'egress_diverged', message: 'other' } as const
    reply = (message) => void sign(message, refused).then((signed) => calls.answer(session, signed))
    await expect(egress()(call(), never)).rejects.toThrow('other')
    expect(losses).toMatchObject([{ reason: 'egress-diverged' }])
  })

  it('when the requester is not there, goes away, or fails', async () => {
    connected = false
    await expect(egress()(call(), never)).rejects.toThrow('no answer')
    connected = true
    reply = () => calls.lost(session)
    await expect(egress()(call(), never)).rejects.toThrow('connection')
    reply = ({ requestId, index }) => calls.answer(session, { type: 'egress-failed', requestId, index, reason: 'down' })
    await expect(egress()(call(), never)).rejects.toThrow('down')
    expect(losses.map(({ reason }) => reason)).toEqual(Array(3).fill('egress-unavailable'))
  })

  it('when somebody else’s session answers, that does not count', async () => {
    const stranger = { ...session }
    reply = (message) => void sign(message).then((signed) => calls.answer(stranger, signed))
    const pending = egress()(call(), never)
    await new Promise((resolve) => setTimeout(resolve, 20))
    calls.lost(session)
    await expect(pending).rejects.toThrow('connection')
  })
})

it('is silent about an execution that somebody else ended', async () => {
  const ended = new AbortController()
  reply = () => ended.abort()
  await expect(egress()(call(), ended.signal)).rejects.toThrow()
  expect(losses).toEqual([])
})

const other = canonicalEgressCall({ ...call(), url: 'https://api.example.com/other' })
if (!other.ok) throw new Error(other.message)
const otherCall = toBase64(new TextEncoder().encode(JSON.stringify(other.call)))
