import { expect, test } from 'vitest'
import { createStall } from './stall.ts'

test('an ordinary run never stands still', () => {
  expect(createStall({ name: 'ordinary', flags: () => [] })).toBeUndefined()
})

test('a varied run stands still now and then, for one second at most', () => {
  const stall = createStall({ name: 'slow', flags: () => [], stallMs: 60 })
  const waits = Array.from({ length: 400 }, () => {
    const startedAt = performance.now()
    stall?.()
    return performance.now() - startedAt
  })
  expect(waits.some((ms) => ms > 5)).toBe(true)
  expect(waits.slice(-50).every((ms) => ms < 50)).toBe(true)
})
