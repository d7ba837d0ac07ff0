import { expect, test } from 'vitest'
import { drawAtRandom, variations } from './variations.ts'

test('the ordinary run changes nothing', () => {
  expect(variations[0]).toEqual({ name: 'ordinary', flags: expect.any(Function) })
  expect(variations[0]?.flags(drawAtRandom)).toEqual([])
})

test('every other one changes something', () => {
  for (const { flags, isLoaded, isPaused } of variations.slice(1))
    expect(flags(drawAtRandom).length > 0 || isLoaded || isPaused).toBe(true)
})

test('a drawn number is whole, inside its bounds, and not always the same', () => {
  const drawn = Array.from({ length: 200 }, () => drawAtRandom(10, 1_000))
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(10)
  expect(Math.max(...drawn)).toBeLessThanOrEqual(1_000)
  expect(drawn.every(Number.isInteger)).toBe(true)
  expect(new Set(drawn).size).toBeGreaterThan(20)
})
