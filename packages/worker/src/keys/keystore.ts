import { PeerHostError } from '@peerhost/protocol'
import * as Keystore from 'ox/Keystore'
import { type Address, getAddress, type Hex } from 'viem'
import { privateKeyToAddress } from 'viem/accounts'
import { z } from 'zod'

const hex = z.string().regex(/^([0-9a-f]{2})+$/i)
// Bounds keep a file from asking for more memory than a keystore ever needs.
const scryptParameters = z.object({
  dklen: z.literal(32),
  salt: hex,
  n: z.int().min(2).max(1_048_576),
  r: z.int().min(1).max(8),
  p: z.int().min(1).max(16),
})
const pbkdf2Parameters = z.object({
  dklen: z.literal(32),
  salt: hex,
  c: z.int().min(1).max(10_000_000),
  prf: z.literal('hmac-sha256'),
})
const cipher = {
  cipher: z.literal('aes-128-ctr'),
  cipherparams: z.object({ iv: hex }),
  ciphertext: hex.length(64),
  mac: hex.length(64),
}
const keystoreSchema = z.object({
  version: z.literal(3),
  id: z.string().default(''),
  address: z
    .string()
    .regex(/^(0x)?[0-9a-f]{40}$/i)
    .optional(),
  crypto: z.discriminatedUnion('kdf', [
    z.object({ ...cipher, kdf: z.literal('scrypt'), kdfparams: scryptParameters }),
    z.object({ ...cipher, kdf: z.literal('pbkdf2'), kdfparams: pbkdf2Parameters }),
  ]),
})

/** What scrypt costs: as geth and Foundry write it, about a second and 256 MiB. Less is for tests. */
export type KeystoreCost = { n: number; r: number; p: number }
const standardCost: KeystoreCost = { n: 262_144, r: 8, p: 1 }

/** True for the JSON of a Web3 secret storage file, version 3: what Foundry and geth write. */
export function isKeystore(text: string): boolean {
  return text.trimStart().startsWith('{')
}

/** A private key as the JSON of a Web3 secret storage file, version 3, with its address in the open. */
export function encryptKey(privateKey: Hex, password: string, cost: KeystoreCost = standardCost): string {
  const [key, options] = Keystore.scrypt({ password, ...cost })
  const address = privateKeyToAddress(privateKey).slice(2).toLowerCase()
  return `${JSON.stringify({ address, ...Keystore.encrypt(privateKey, key, options) }, null, 2)}\n`
}

/** The private key in a keystore. Throws `keystore_locked` for a wrong password, `config_invalid` for another file. */
export function decryptKeystore(text: string, password: string): Hex {
  const keystore = parseKeystore(text) as Keystore.Keystore
  // Not the asynchronous form: it does not read the file's r and p.
  const key = Keystore.toKey(keystore, { password })
  try {
    return Keystore.decrypt(keystore, key)
  } catch (cause) {
    throw new PeerHostError('keystore_locked', 'The password is wrong.', {
      hint: 'Give the password that this keystore was made with; nothing can recover it.',
      cause,
    })
  }
}

/** The address that a keystore is for, without its password; `undefined` where the file does not say it. */
export function keystoreAddress(text: string): Address | undefined {
  const { address } = parseKeystore(text)
  return address === undefined ? undefined : getAddress(`0x${address.replace(/^0x/, '')}`)
}

function parseKeystore(text: string): z.output<typeof keystoreSchema> {
  try {
    return keystoreSchema.parse(JSON.parse(text))
  } catch {
    throw new PeerHostError('config_invalid', 'The keystore is not a version 3 file with aes-128-ctr.', {
      hint: 'Make one with `peerhost worker init`, `cast wallet new` or `geth account new`.',
    })
  }
}
