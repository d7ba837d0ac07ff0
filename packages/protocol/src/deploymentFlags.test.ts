import { expect, test } from 'vitest'
import { DEPLOYMENT_FLAGS, ISOLATION_LEVELS, isolationFlags, isolationOf } from './deploymentFlags.ts'

test.each(ISOLATION_LEVELS)('level %s comes out of the flags as it went in', (level) => {
  expect(isolationOf(isolationFlags(level))).toBe(level)
  expect(isolationOf(isolationFlags(level) | DEPLOYMENT_FLAGS.network)).toBe(level)
})

test('what is deterministic shares nothing', () => {
  expect(isolationOf(isolationFlags('shared') | DEPLOYMENT_FLAGS.deterministic)).toBe('context')
})
