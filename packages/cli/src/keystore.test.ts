import { createCipheriv, randomBytes, scryptSync } from 'node:crypto'
import { concat, hexToBytes, keccak256 } from 'viem'
import { generatePrivateKey } from 'viem/accounts'
import { describe, expect, it } from 'vitest'
import { decryptKeystore, isKeystore } from './keystore.ts'

/** The published test vector of Web3 secret storage, version 3, that Node's scrypt limits do not touch. */
const published = {
  password: 'testpassword',
  key: '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d',
  pbkdf2: {
    version: 3,
    id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
      ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
      kdf: 'pbkdf2',
      kdfparams: {
        c: 262144,
        dklen: 32,
        prf: 'hmac-sha256',
        salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
      },
      mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
    },
  },
} as const

describe('a keystore', () => {
  it('opens the published vector', () => {
    const text = JSON.stringify(published.pbkdf2)
    expect(isKeystore(text)).toBe(true)
    expect(decryptKeystore(text, published.password)).toBe(published.key)
  })

  it('refuses a wrong password and another file', () => {
    expect(() => decryptKeystore(JSON.stringify(published.pbkdf2), 'wrong')).toThrow('password is wrong')
    expect(() => decryptKeystore('{"version":1}', 'any')).toThrow('not a version 3 file')
  })

  it('opens what Foundry writes: scrypt with its parameters', () => {
    const key = generatePrivateKey()
    const text = JSON.stringify(encrypt(key, 'secret'))
    expect(decryptKeystore(text, 'secret')).toBe(key)
  })
})

function encrypt(key: `0x${string}`, password: string) {
  const salt = randomBytes(32)
  const iv = randomBytes(16)
  const derived = scryptSync(password, salt, 32, { N: 8192, r: 8, p: 1 })
  const cipher = createCipheriv('aes-128-ctr', derived.subarray(0, 16), iv)
  const ciphertext = Buffer.concat([cipher.update(hexToBytes(key)), cipher.final()])
  return {
    version: 3,
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: iv.toString('hex') },
      ciphertext: ciphertext.toString('hex'),
      kdf: 'scrypt',
      kdfparams: { dklen: 32, n: 8192, r: 8, p: 1, salt: salt.toString('hex') },
      mac: keccak256(concat([derived.subarray(16, 32), ciphertext])).slice(2),
    },
  }
}
