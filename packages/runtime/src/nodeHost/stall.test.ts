import { expect, test } from 'vitest'
import { createStall } from './stall.ts'

test('an ordinary run never stands still', () => {
  expect(createStall({ name: 'ordinary', flags: () => [] })).toBeUndefined()
})

test('a varied run stands still now and then, and in all for no more than a second and its last wait', () => {
  const waits: number[] = []
  const stall = createStall({ name: 'slow', flags: () => [], stallMs: 60 }, (ms) => waits.push(ms))
  for (let call = 0; call < 400; call += 1) stall?.()
  expect(waits.length).toBeGreaterThan(0)
  expect(waits.length).toBeLessThan(400)
  expect(waits.every((ms) => ms >= 0 && ms <= 60)).toBe(true)
  const all = waits.reduce((sum, ms) => sum + ms)
  expect(all).toBeGreaterThanOrEqual(1_000)
  expect(all).toBeLessThan(1_060)
})

test('to stand still takes real time', () => {
  const stall = createStall({ name: 'slow', flags: () => [], stallMs: 60 })
  const startedAt = performance.now()
  for (let call = 0; call < 100; call += 1) stall?.()
  expect(performance.now() - startedAt).toBeGreaterThan(100)
})
