import { describe, expect, test } from 'vitest'
import { decodeBody } from './body.ts'
import { encodeCanonicalJson } from './canonicalJson.ts'
import {
  canonicalResult,
  decodeResult,
  encodeResult,
  failedResult,
  isResourceOutcome,
  outcomeNumber,
  outcomeOf,
  outcomes,
} from './result.ts'

test('a function cannot set headers that carry money, cookies or framing', () => {
  const forbidden = [
    'Settlement-Overrides',
    'Payment-Response',
    'X-Payment-Response',
    'Set-Cookie',
    'Content-Length',
    'Transfer-Encoding',
    'PeerHost-Receipt',
    'X-PeerHost-Anything',
    'Connection',
  ]
  const result = canonicalResult({
    outcome: 'completed',
    status: 200,
    headers: forbidden.map((name) => [name, '1'] as const),
    body: new Uint8Array(),
  })
  expect(result.headers).toEqual([])
})

test('a body over the limit becomes output-too-large', () => {
  const result = canonicalResult({ outcome: 'completed', status: 200, headers: [], body: new Uint8Array(1_048_577) })
  expect(result).toEqual(failedResult('output-too-large'))
})

test('every failure is a problem document with a code of its own', () => {
  const failures = outcomes.filter((outcome) => outcome !== 'completed')
  const codes = failures.map(
    (outcome) =>
      (JSON.parse(new TextDecoder().decode(decodeBody(failedResult(outcome).body))) as { code: string }).code,
  )
  expect(codes).toEqual([
    'execution_threw',
    'execution_bad_module',
    'execution_output_too_large',
    'execution_timed_out',
    'execution_out_of_memory',
  ])
})

test('outcomes have numbers from 1, both ways', () => {
  expect(outcomes.map(outcomeNumber)).toEqual([1, 2, 3, 4, 5, 6])
  expect([1, 2, 3, 4, 5, 6].map(outcomeOf)).toEqual(outcomes)
  expect(() => outcomeOf(0)).toThrowError('no outcome')
  expect(outcomes.filter(isResourceOutcome)).toEqual(['timed-out', 'out-of-memory'])
})

describe('decodeResult', () => {
  test('reads back what was encoded', () => {
    const result = canonicalResult({
      outcome: 'completed',
      status: 201,
      headers: [['ETag', '"a"']],
      body: Uint8Array.of(0xff, 0),
    })
    expect(decodeResult(encodeResult(result))).toEqual(result)
  })

  test.each([
    ['a header that may not leave', { headers: [['set-cookie', 'a=b']] }, 'response_mismatch'],
    [
      'headers out of order',
      {
        headers: [
          ['x-b', '1'],
          ['x-a', '1'],
        ],
      },
      'response_mismatch',
    ],
    ['a status that is not final', { status: 101 }, 'request_invalid'],
    ['an unknown outcome', { outcome: 'fine' }, 'request_invalid'],
    ['text as base64', { body: { base64: 'aGk=' } }, 'request_invalid'],
  ])('refuses %s', (_, over, code) => {
    const value = { v: 1, outcome: 'completed', status: 200, headers: [], body: { utf8: '' }, ...over }
    expect(() => decodeResult(encodeCanonicalJson(value as never))).toThrowError(expect.objectContaining({ code }))
  })
})
