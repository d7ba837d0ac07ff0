import { decodeBody, decodeResult } from '@peerhost/protocol'
import type { End, ThrowReason } from '@peerhost/runtime'
import { expect, test } from 'vitest'
import { sandboxRun } from './sandboxRun.ts'

function runOf(end: End, reason: ThrowReason = 'error') {
  const ended = { id: 1, end, reason, answer: undefined, durationMs: 3, logBytes: 9, keptLogBytes: 4 }
  return sandboxRun({ type: 'ended', ended, log: new TextEncoder().encode('some'), body: new Uint8Array(0) }, 7)
}

test.each([
  ['threw', 500],
  ['bad-module', 500],
  ['output-too-large', 500],
  ['timed-out', 504],
  ['out-of-memory', 507],
] as const)('%s is a result of its own, with status %i', (end, status) => {
  const run = runOf(end)
  expect(run).toMatchObject({ outcome: end, status, durationMs: 3, queueMs: 7, log: 'some', logBytes: 9 })
  expect(decodeResult(run.result)).toMatchObject({ outcome: end, status })
})

test.each(['exited', 'no-response'] as const)('what threw for the reason %s says so in a fixed sentence', (reason) => {
  const run = runOf('threw', reason)
  const { detail } = JSON.parse(new TextDecoder().decode(decodeBody(decodeResult(run.result).body)))
  expect(detail).not.toBe(
    JSON.parse(new TextDecoder().decode(decodeBody(decodeResult(runOf('threw').result).body))).detail,
  )
  expect(runOf('threw', reason).result).toEqual(run.result)
})

test.each(['cancelled', 'lost', 'completed'] as const)('%s without an answer is no result', (end) => {
  expect(() => runOf(end)).toThrow(end)
})
