import { describe, expect, test } from 'vitest'
import { allowedBuiltins } from '../packages/bundler/src/builtins.ts'
import { functionBuiltins } from '../packages/runtime/src/nodeHost/builtins.ts'

describe('packages that may not import each other', () => {
  test('bundler and runtime allow the same modules of Node', () => {
    expect([...allowedBuiltins]).toEqual([...functionBuiltins])
  })
})
