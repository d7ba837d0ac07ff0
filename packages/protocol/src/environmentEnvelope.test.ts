import { expect, it } from 'vitest'
import { toBase64 } from './body.ts'
import { hashEnvironmentEnvelope } from './environmentEnvelope.ts'

const bytes = (value: number, length = 32) => toBase64(new Uint8Array(length).fill(value))
const domain = { chainId: 1, coordinator: '0x00000000000000000000000000000000000000C0' } as const
const recipient = {
  requestId: `0x${'11'.repeat(32)}`,
  operator: `0x${'0a'.repeat(20)}`,
  publicKey: bytes(1),
} as const
const envelope = { encapsulatedKey: bytes(2), sealed: bytes(3, 50) }

it('signs every part: an envelope counts for one key of one operator for one request only', () => {
  const digests = [
    hashEnvironmentEnvelope(domain, recipient, envelope),
    hashEnvironmentEnvelope({ ...domain, chainId: 2 }, recipient, envelope),
    hashEnvironmentEnvelope(domain, { ...recipient, requestId: `0x${'12'.repeat(32)}` }, envelope),
    hashEnvironmentEnvelope(domain, { ...recipient, operator: `0x${'0b'.repeat(20)}` }, envelope),
    hashEnvironmentEnvelope(domain, { ...recipient, publicKey: bytes(4) }, envelope),
    hashEnvironmentEnvelope(domain, recipient, { ...envelope, encapsulatedKey: bytes(5) }),
    hashEnvironmentEnvelope(domain, recipient, { ...envelope, sealed: bytes(6, 50) }),
  ]
  expect(new Set(digests).size).toBe(digests.length)
})

it('takes no text that is not base64', () => {
  expect(() => hashEnvironmentEnvelope(domain, recipient, { ...envelope, sealed: '%' })).toThrow('base64')
})
