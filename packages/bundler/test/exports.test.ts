import { expect, test } from 'vitest'
import * as bundler from '../src/index.ts'

test('exports', () => {
  expect(Object.keys(bundler).sort()).toEqual([
    'allowedBuiltins',
    'buildProject',
    'defaultProjectName',
    'findFunctions',
    'functionMethods',
    'projectConfigJsonSchema',
    'projectNameOf',
  ])
})
