import { expect, test } from 'vitest'
import { createRateLimit } from './rateLimit.ts'

test('counts by address and begins anew with the window', () => {
  let nowMs = 0
  const limit = createRateLimit({ perMinute: 2, nowMs: () => nowMs })
  expect(limit.take('1.1.1.1').limited).toBeUndefined()
  expect(limit.take('1.1.1.1').limited).toBeUndefined()
  expect(limit.take('1.1.1.1').limited).toMatchObject({ code: 'rate_limited' })
  expect(limit.take('2.2.2.2').limited).toBeUndefined()
  nowMs = 30_000
  expect(limit.take('1.1.1.1').headers).toContainEqual(['retry-after', '30'])
  nowMs = 60_000
  expect(limit.take('1.1.1.1').limited).toBeUndefined()
})

test('this machine is not limited, and zero switches it off', () => {
  const limit = createRateLimit({ perMinute: 1, nowMs: () => 0 })
  for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1'])
    for (let count = 0; count < 3; count++) expect(limit.take(address).limited).toBeUndefined()
  const off = createRateLimit({ perMinute: 0, nowMs: () => 0 })
  for (let count = 0; count < 3; count++) expect(off.take('1.1.1.1')).toEqual({ headers: [], limited: undefined })
})
