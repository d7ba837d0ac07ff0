import type { WorkerMessage } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import { describe, expect, it } from 'vitest'
import type { GatewaySession } from './gatewaySession.ts'
import { createQuestions } from './questions.ts'

const requester: Address = `0x${'0a'.repeat(20)}`
const requestId: Hex = `0x${'11'.repeat(32)}`
const message: WorkerMessage = { type: 'input', requestId }
const question = { requester, requestId, key: 'one', message }
const never = new AbortController().signal

/** Sessions that do what they are told when they are asked, and the questions that go to them. */
function setUp(...does: ((session: GatewaySession) => void)[]) {
  const asked: number[] = []
  const sessions = does.map((act, index): GatewaySession => {
    const session: GatewaySession = {
      url: `ws://gateway-${index}`,
      gateway: () => requester,
      send: () => {
        asked.push(index)
        act(session)
        return true
      },
      close: async () => undefined,
    }
    return session
  })
  const questions = createQuestions<string>({ sessionsOf: () => sessions, timeoutMs: 100, about: 'A question' })
  return { questions, sessions, asked }
}

describe('a requester that is there more than once', () => {
  it.each(['refuses', 'goes away'])('is asked over its next session when the first %s', async (way) => {
    const { questions, asked } = setUp(
      (session) => (way === 'refuses' ? questions.refuse(session, 'one', 'not mine') : questions.lost(session)),
      (session) => questions.answer(session, 'one', 'mine'),
      () => {},
    )
    expect(await questions.ask(question, never)).toBe('mine')
    expect(asked).toEqual([0, 1])
  })

  it('has no answer when none of them has one, and says the last reason', async () => {
    const { questions, asked } = setUp(
      (session) => questions.refuse(session, 'one', 'not mine'),
      (session) => questions.refuse(session, 'one', 'nor mine'),
    )
    await expect(questions.ask(question, never)).rejects.toThrow('A question has no answer. nor mine')
    expect(asked).toEqual([0, 1])
  })

  it.each([
    ['the time is over', () => {}],
    ['somebody ends it', (ended: AbortController) => ended.abort()],
  ])('is not asked further when %s', async (_, happens) => {
    const ended = new AbortController()
    const { questions, asked } = setUp(
      () => happens(ended),
      () => {},
    )
    await expect(questions.ask(question, ended.signal)).rejects.toMatchObject({ code: 'gateway_unavailable' })
    expect(asked).toEqual([0])
  })
})

it('hears only the session that was asked', async () => {
  const { questions, sessions } = setUp((session) => {
    const [, other] = sessions
    if (other) questions.answer(other, 'one', 'of another')
    if (other) questions.refuse(other, 'one', 'of another')
    questions.answer(session, 'one', 'mine')
  })
  sessions.push({ ...(sessions[0] as GatewaySession), url: 'ws://other' })
  expect(await questions.ask(question, never)).toBe('mine')
})

it('asks nobody when the requester is not there, and never twice at one time', async () => {
  const { questions, asked } = setUp()
  await expect(questions.ask(question, never)).rejects.toThrow('The requester is not connected.')
  const busy = setUp(() => {})
  const first = busy.questions.ask(question, never)
  await expect(busy.questions.ask(question, never)).rejects.toThrow('asked for twice')
  await expect(first).rejects.toThrow('in time')
  expect([...asked, ...busy.asked]).toEqual([0])
})
