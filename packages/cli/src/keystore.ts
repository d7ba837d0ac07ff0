import { createDecipheriv, pbkdf2Sync, scryptSync, timingSafeEqual } from 'node:crypto'
import { concat, type Hex, hexToBytes, keccak256, toHex } from 'viem'
import { z } from 'zod'
import { UsageError } from './command.ts'

const hex = z.string().regex(/^([0-9a-f]{2})+$/i)
const keystoreSchema = z.object({
  version: z.literal(3),
  crypto: z.object({
    cipher: z.literal('aes-128-ctr'),
    cipherparams: z.object({ iv: hex }),
    ciphertext: hex,
    mac: hex,
    kdf: z.enum(['scrypt', 'pbkdf2']),
    kdfparams: z.object({
      dklen: z.int(),
      salt: hex,
      n: z.int().optional(),
      r: z.int().optional(),
      p: z.int().optional(),
      c: z.int().optional(),
    }),
  }),
})

/** True for the JSON of a Web3 secret storage file, version 3: what Foundry and geth write. */
export function isKeystore(text: string): boolean {
  return text.trimStart().startsWith('{')
}

/** The private key in a keystore. Throws `UsageError` for a wrong password or a file of another kind. */
export function decryptKeystore(text: string, password: string): Hex {
  const { crypto } = parseKeystore(text)
  const derived = deriveKey(crypto, password)
  const ciphertext = Buffer.from(crypto.ciphertext, 'hex')
  const mac = hexToBytes(keccak256(concat([derived.subarray(16, 32), ciphertext])))
  const expected = Buffer.from(crypto.mac, 'hex')
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) throw new UsageError('The password is wrong.')
  const decipher = createDecipheriv('aes-128-ctr', derived.subarray(0, 16), Buffer.from(crypto.cipherparams.iv, 'hex'))
  return toHex(Buffer.concat([decipher.update(ciphertext), decipher.final()]))
}

type KeystoreCrypto = z.output<typeof keystoreSchema>['crypto']

function parseKeystore(text: string) {
  try {
    return keystoreSchema.parse(JSON.parse(text))
  } catch {
    throw new UsageError('The keystore is not a version 3 file with aes-128-ctr.')
  }
}

function deriveKey({ kdf, kdfparams }: KeystoreCrypto, password: string): Uint8Array {
  const { dklen, salt: saltHex, n = 262_144, r = 8, p = 1, c = 262_144 } = kdfparams
  const salt = Buffer.from(saltHex, 'hex')
  if (kdf === 'pbkdf2') return pbkdf2Sync(password, salt, c, dklen, 'sha256')
  return scryptSync(password, salt, dklen, { N: n, r, p, maxmem: 256 * n * r })
}
