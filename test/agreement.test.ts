import { describe, expect, test } from 'vitest'
import { allowedBuiltins } from '../packages/bundler/src/builtins.ts'
import { ISOLATION_LEVELS } from '../packages/protocol/src/deploymentFlags.ts'
import { isolations } from '../packages/runtime/src/messages.ts'
import { functionBuiltins } from '../packages/runtime/src/nodeHost/builtins.ts'

describe('packages that may not import each other', () => {
  test('bundler and runtime allow the same modules of Node', () => {
    expect([...allowedBuiltins]).toEqual([...functionBuiltins])
  })

  test('protocol and runtime know the same levels of isolation', () => {
    expect([...ISOLATION_LEVELS].sort()).toEqual([...isolations].sort())
  })
})
