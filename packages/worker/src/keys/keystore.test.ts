import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { decryptKeystore, encryptKey, isKeystore, keystoreAddress } from './keystore.ts'
import { readSecretFile, writeKeystoreFile } from './keystoreFile.ts'
import { readFirstLine, readKeystorePassword } from './keystorePassword.ts'
import { unlockKeys } from './unlockKeys.ts'

const cheap = { n: 1_024, r: 8, p: 1 }
let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'peerhost-keys-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** The published test vectors of Web3 secret storage, version 3. */
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
  scrypt: {
    version: 3,
    id: '3198bc9c-6672-5ab3-d995-4942343ae5b6',
    crypto: {
      cipher: 'aes-128-ctr',
      cipherparams: { iv: '83dbcc02d8ccb40e466191a123791e0e' },
      ciphertext: 'd172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c',
      kdf: 'scrypt',
      kdfparams: {
        dklen: 32,
        n: 262144,
        p: 8,
        r: 1,
        salt: 'ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19',
      },
      mac: '2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097',
    },
  },
} as const

describe('a keystore', () => {
  it.each(['pbkdf2', 'scrypt'] as const)('opens the published vector for %s', (kdf) => {
    const text = JSON.stringify(published[kdf])
    expect(isKeystore(text)).toBe(true)
    expect(decryptKeystore(text, published.password)).toBe(published.key)
  })

  it('refuses a wrong password and another file', () => {
    const text = encryptKey(generatePrivateKey(), 'right', cheap)
    expect(() => decryptKeystore(text, 'wrong')).toThrow(expect.objectContaining({ code: 'keystore_locked' }))
    expect(() => decryptKeystore('{"version":1}', 'any')).toThrow(expect.objectContaining({ code: 'config_invalid' }))
    const greedy = text.replace('"n": 1024', '"n": 4294967296')
    expect(() => decryptKeystore(greedy, 'right')).toThrow(expect.objectContaining({ code: 'config_invalid' }))
  })

  it('opens what it wrote, with the cost that Foundry uses too, and says its address without the password', () => {
    const key = generatePrivateKey()
    const text = encryptKey(key, 'secret')
    expect(JSON.parse(text).crypto.kdfparams).toMatchObject({ n: 262_144, r: 8, p: 1 })
    expect(text).not.toContain(key.slice(2))
    expect(decryptKeystore(text, 'secret')).toBe(key)
    expect(keystoreAddress(text)).toBe(privateKeyToAddress(key))
  })
})

describe('a keystore’s file', () => {
  it('is its owner’s alone, and never overwritten', async () => {
    const file = join(directory, 'key.json')
    await writeKeystoreFile(file, 'first')
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    await expect(writeKeystoreFile(file, 'second')).rejects.toMatchObject({ code: 'conflict' })
    expect(await readSecretFile(file)).toBe('first')
  })

  it.each([0o640, 0o604, 0o644, 0o620])('is refused with mode %o', async (mode) => {
    const file = join(directory, 'key.json')
    await writeKeystoreFile(file, 'text')
    await chmod(file, mode)
    await expect(readSecretFile(file)).rejects.toMatchObject({ code: 'config_invalid', hint: `chmod 600 ${file}` })
  })
})

describe('the password', () => {
  it('comes from a file first, then from a person, then from standard input', async () => {
    const passwordFile = join(directory, 'password')
    await writeFile(passwordFile, 'from the file\n', { mode: 0o600 })
    const ask = async () => 'from a person'
    const readLine = async () => 'from a pipe'
    expect(await readKeystorePassword({ passwordFile, ask, readLine }, 'Password')).toBe('from the file')
    expect(await readKeystorePassword({ ask, readLine }, 'Password')).toBe('from a person')
    expect(await readKeystorePassword({ readLine }, 'Password')).toBe('from a pipe')
    await expect(readKeystorePassword({}, 'Password')).rejects.toMatchObject({ code: 'keystore_locked' })
  })

  it('is the first line of a pipe, whatever follows', async () => {
    expect(await readFirstLine(Readable.from([Buffer.from('one ü\r'), Buffer.from('\ntwo\n')]))).toBe('one ü')
    expect(await readFirstLine(Readable.from([Buffer.from('no line end')]))).toBe('no line end')
    expect(await readFirstLine(Readable.from([]))).toBeUndefined()
  })
})

describe('unlockKeys', () => {
  it('opens both keystores with one password, and touches nothing else', async () => {
    const [executionKey, operatorKey] = [generatePrivateKey(), generatePrivateKey()]
    const [execution, operator] = [join(directory, 'execution.json'), join(directory, 'operator.json')]
    await writeKeystoreFile(execution, encryptKey(executionKey, 'one', cheap))
    await writeKeystoreFile(operator, encryptKey(operatorKey, 'one', cheap))
    const env = { PEERHOST_EXECUTION_KEYSTORE: execution, PEERHOST_OPERATOR_KEYSTORE: operator, PEERHOST_CAPACITY: '2' }
    let asked = 0
    const ask = async () => {
      asked += 1
      return 'one'
    }
    expect(await unlockKeys(env, { ask })).toEqual({
      ...env,
      PEERHOST_EXECUTION_KEY: executionKey,
      PEERHOST_OPERATOR_KEY: operatorKey,
    })
    expect(asked).toBe(1)
    expect(process.env.PEERHOST_EXECUTION_KEY).toBeUndefined()
    await expect(unlockKeys(env, { ask: async () => 'two' })).rejects.toMatchObject({ code: 'keystore_locked' })
  })

  it('does not guess between a plain key and a keystore', async () => {
    const both = { PEERHOST_EXECUTION_KEY: generatePrivateKey(), PEERHOST_EXECUTION_KEYSTORE: 'any' }
    await expect(unlockKeys(both)).rejects.toMatchObject({ code: 'config_invalid' })
  })
})
