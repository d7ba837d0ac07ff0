import { expect, test } from 'vitest'
import * as storage from '../src/index.ts'

test('exports', () => {
  expect(Object.keys(storage).sort()).toEqual([
    'blockCid',
    'createDiskStore',
    'createGatewayStore',
    'createHttpSource',
    'createKuboStore',
    'createPinataStore',
    'fetchBlock',
    'hashBlock',
  ])
})

test('a CID is the one every IPFS tool gives these bytes', () => {
  expect(storage.blockCid(new TextEncoder().encode('hello'))).toBe(
    'bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq',
  )
})
