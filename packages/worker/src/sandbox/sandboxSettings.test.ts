import { LIMITS_CLASSES } from '@peerhost/protocol'
import { expect, test } from 'vitest'
import { containerMemoryBytes } from './hostConfig.ts'
import { containersThatFit } from './sandboxSettings.ts'

const GiB = 2 ** 30

test.each([
  [16 * GiB, 2],
  [64 * GiB, 8],
])('all containers of a machine with %d bytes and %d cores, when full, leave half of its memory', (memory, slots) => {
  const count = containersThatFit(memory, slots)
  const each = containerMemoryBytes(LIMITS_CLASSES[0], slots)
  expect(count * each).toBeLessThanOrEqual(memory / 2)
  expect((count + 1) * each).toBeGreaterThan(memory / 2)
})

test('a small machine may still run two, and a large one does not run without end', () => {
  expect(containersThatFit(GiB / 2, 2)).toBe(2)
  expect(containersThatFit(1_024 * GiB, 2)).toBe(64)
})
