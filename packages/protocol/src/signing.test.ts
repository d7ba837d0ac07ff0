import { keccak256, stringToBytes } from 'viem'
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts'
import { describe, expect, test } from 'vitest'
import { isNative, nativeSigning } from './native.ts'
import { createDigestSigner, pureSigning } from './signing.ts'

const digest = keccak256(stringToBytes('a digest'))

describe.each([
  ['pure', pureSigning],
  ['native', nativeSigning],
] as const)('%s signing', (_, signing) => {
  test('recovers the signer', async () => {
    const key = generatePrivateKey()
    expect(await signing.recover(digest, await signing.sign(key, digest))).toBe(privateKeyToAddress(key))
  })

  test('gives the same deterministic signature as the other implementation', async () => {
    const key = generatePrivateKey()
    expect(await signing.sign(key, digest)).toBe(await pureSigning.sign(key, digest))
  })

  test('does not recover the signer from another digest', async () => {
    const key = generatePrivateKey()
    const signature = await signing.sign(key, digest)
    expect(await signing.recover(keccak256('0x01'), signature)).not.toBe(privateKeyToAddress(key))
  })

  test.each([
    ['nothing', '0x'],
    ['64 bytes', `0x${'11'.repeat(64)}`],
    ['v of 0', `0x${'11'.repeat(64)}00`],
    ['zeros', `0x${'00'.repeat(64)}1b`],
  ] as const)('refuses %s', async (_case, signature) => {
    expect(await signing.recover(digest, signature)).toBeUndefined()
  })

  test('refuses the high-s twin of a valid signature, as the contract does', async () => {
    const signature = await signing.sign(generatePrivateKey(), digest)
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const s = (order - BigInt(`0x${signature.slice(66, 130)}`)).toString(16).padStart(64, '0')
    const twin = `${signature.slice(0, 66)}${s}${signature.endsWith('1b') ? '1c' : '1b'}` as const
    expect(await signing.recover(digest, twin as `0x${string}`)).toBeUndefined()
  })
})

test('the native implementation is native where a prebuilt binary exists', () => {
  const prebuilt = ['linux-x64', 'darwin-arm64', 'win32-x64'].includes(`${process.platform}-${process.arch}`)
  expect(isNative).toBe(prebuilt)
})

test('a digest signer binds address and key', async () => {
  const key = generatePrivateKey()
  const signer = createDigestSigner(key)
  expect(await pureSigning.recover(digest, await signer.sign(digest))).toBe(signer.address)
})
