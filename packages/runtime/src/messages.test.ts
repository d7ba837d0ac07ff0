import { describe, expect, test } from 'vitest'
import { readFromHost, readFromSupervisor, readRun } from './messages.ts'
import { variationOf, variations } from './variations.ts'

const body = new Uint8Array(10)
const ended = {
  type: 'ended',
  id: 1,
  end: 'completed',
  reason: 'error',
  status: 200,
  headers: [['a', 'b']],
  durationMs: 1,
  logBytes: 4,
  keptLogBytes: 4,
}

describe('what a container says', () => {
  test('is read when it is well-formed', () => {
    expect(readFromSupervisor({ header: ended, body })).toMatchObject({
      ended: { answer: { status: 200 } },
      log: { length: 4 },
      body: { length: 6 },
    })
  })

  test.each([
    ['another type', { type: 'reboot' }],
    ['another end', { end: 'paid' }],
    ['an end of Object.prototype', { end: 'constructor' }],
    ['another reason', { reason: 'because' }],
    ['a status below 200', { status: 101 }],
    ['a status above 599', { status: 600 }],
    ['a status that is a string', { status: '200' }],
    ['a broken number', { durationMs: -1 }],
    ['an id that is not whole', { id: 1.5 }],
    ['more log than bytes', { keptLogBytes: 11 }],
    ['headers that are no list', { headers: { a: 'b' } }],
    ['a header of three', { headers: [['a', 'b', 'c']] }],
    ['a header of numbers', { headers: [['a', 1]] }],
    ['no headers', { headers: undefined }],
  ])('is refused for %s', (_, change) => {
    expect(() => readFromSupervisor({ header: { ...ended, ...change }, body })).toThrow()
  })
})

describe('what a host says', () => {
  test.each([
    ['the words of a supervisor', ended],
    ['an end that only the supervisor may give', { type: 'failed', end: 'cancelled', reason: 'error' }],
    ['a resource outcome', { type: 'failed', end: 'out-of-memory', reason: 'error' }],
    ['a status of its own', { type: 'answer', status: 1, headers: [] }],
  ])('is refused for %s', (_, header) => {
    expect(() => readFromHost({ header, body })).toThrow()
  })
})

test('a seed is 32 bytes', () => {
  expect(() => readRun({ id: 1, clockMs: 0, seed: '0x11' })).toThrow('32 bytes')
})

test('a variation is a number of the table, and an ordinary run has none', () => {
  const run = { id: 1, clockMs: 0, seed: `0x${'11'.repeat(32)}` }
  expect(readRun({ ...run, variation: 3 })).toEqual({ ...run, variation: 3 })
  expect(readRun(run)).toEqual(run)
  for (const variation of [-1, 0.5, variations.length, '1'])
    expect(() => readRun({ ...run, variation })).toThrow('integer')
  expect(() => variationOf(variations.length)).toThrow('no variation')
})
