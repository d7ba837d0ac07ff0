import { expect, it } from 'vitest'
import { decodeEgressAnswer, type EgressAnswer, encodeEgressAnswer, hashEgressTranscript } from './egressTranscript.ts'

const domain = { chainId: 1, coordinator: '0x00000000000000000000000000000000000000C0' } as const
const message = {
  protocolVersion: 1,
  requestId: `0x${'11'.repeat(32)}`,
  index: 0,
  callDigest: `0x${'22'.repeat(32)}`,
  answerDigest: `0x${'33'.repeat(32)}`,
} as const

it('reads an answer back from its bytes, and nothing else', () => {
  const answer: EgressAnswer = {
    v: 1,
    type: 'answered',
    status: 200,
    headers: [['content-type', 'text/plain']],
    body: '/w==',
    url: 'https://api.example.com/',
    redirected: false,
  }
  expect(decodeEgressAnswer(encodeEgressAnswer(answer))).toEqual(answer)
  const bytes = encodeEgressAnswer({ ...answer, status: 99 })
  expect(() => decodeEgressAnswer(bytes)).toThrow('not the answer')
  expect(() => decodeEgressAnswer(encodeEgressAnswer({ ...answer, more: 1 } as EgressAnswer))).toThrow()
})

it('signs every part: a transcript counts for one call of one request only', () => {
  const digest = hashEgressTranscript(domain, message)
  const others = [
    { requestId: `0x${'12'.repeat(32)}` as const },
    { index: 1 },
    { callDigest: `0x${'23'.repeat(32)}` as const },
    { answerDigest: `0x${'34'.repeat(32)}` as const },
  ]
  const digests = others.map((change) => hashEgressTranscript(domain, { ...message, ...change }))
  expect(new Set([digest, ...digests]).size).toBe(5)
  expect(hashEgressTranscript({ ...domain, chainId: 2 }, message)).not.toBe(digest)
})
