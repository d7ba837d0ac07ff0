import { describe, expect, test } from 'vitest'
import { cidToDigest, digestToCid } from './bundle.ts'
import { isPeerHostError, PeerHostError } from './errors.ts'
import { assertFunctionName, assertProjectName } from './functionId.ts'
import { LIMITS_CLASSES, limitsClass } from './limits.ts'
import { decodeGatewayMessage, decodeWorkerMessage, encodeWire } from './wire.ts'

describe('names', () => {
  test.each(['a', 'weather', 'get-city', 'v2', 'users/list'])('%s may name a function', (name) => {
    expect(() => assertFunctionName(name)).not.toThrow()
  })
  test.each(['', 'A', '-a', 'a-', 'a_b', 'a/', '/a', 'a//b', 'ä', '..', 'a'.repeat(65)])(
    '%j may not name a function',
    (name) => {
      expect(() => assertFunctionName(name)).toThrowError(expect.objectContaining({ code: 'config_invalid' }))
    },
  )
  test('a project name holds no slash', () => {
    expect(() => assertProjectName('a/b')).toThrowError('project')
  })
})

describe('CIDs', () => {
  // The sha2-256 of no bytes, and the CID that every IPFS implementation gives its raw block.
  const digest = '0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  const cid = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
  test('a digest and its CID go both ways', () => {
    expect(digestToCid(digest)).toBe(cid)
    expect(cidToDigest(cid)).toBe(digest)
  })
  test.each([
    '',
    'QmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n',
    cid.toUpperCase(),
    'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi',
    '../../etc/passwd',
  ])('%j is refused', (text) => {
    expect(() => cidToDigest(text)).toThrowError(expect.objectContaining({ code: 'request_invalid' }))
  })
})

test('an error of another copy of the package is known by its code', () => {
  const foreign = Object.assign(new Error('x'), { name: 'PeerHostError', code: 'no_worker' })
  expect(isPeerHostError(foreign)).toBe(true)
  expect(isPeerHostError(new PeerHostError('conflict', 'x'))).toBe(true)
  expect(isPeerHostError(new Error('x'))).toBe(false)
  expect(isPeerHostError(Object.assign(new Error('x'), { name: 'PeerHostError', code: 'made_up' }))).toBe(false)
})

test('limits classes are found by the number on chain', () => {
  expect(LIMITS_CLASSES.map((candidate) => limitsClass(candidate.id)?.name)).toEqual(['small', 'medium', 'large'])
  expect(limitsClass(99)).toBeUndefined()
})

describe('the wire', () => {
  test('a message reads back as it was sent', () => {
    const message = { type: 'declined', requestId: `0x${'01'.repeat(32)}`, reason: 'at-capacity' } as const
    expect(decodeWorkerMessage(encodeWire(message))).toEqual(message)
  })
  test.each([
    '',
    '{',
    'null',
    '{"type":"evil"}',
    '{"type":"cancel","requestId":"0x"}',
    '{"type":"cancel","requestId":1,"more":2}',
    '{"__proto__":{"type":"cancel"}}',
  ])('%j is refused', (frame) => {
    expect(() => decodeGatewayMessage(frame)).toThrowError(expect.objectContaining({ code: 'request_invalid' }))
  })
})
