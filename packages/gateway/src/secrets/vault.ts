import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

/** A value at rest, and by which key it is sealed. */
export type SealedValue = { keyId: string; sealed: Uint8Array }

/** Seals values with the first of its keys and opens those of any. `about` is what a value belongs to: it opens for nothing else. */
export type Vault = {
  keyId: string
  seal: (about: string, value: string) => SealedValue
  /** Throws for a key that is not here, and for bytes that were changed or moved. */
  open: (about: string, value: SealedValue) => string
}

const nonceBytes = 12
const tagBytes = 16

/** AES-256-GCM with a random nonce per value. Each key is 32 bytes; the first seals. */
export function createVault(keys: readonly [Uint8Array, ...Uint8Array[]]): Vault {
  const byId = new Map(keys.map((key) => [idOf(key), key]))
  const [current] = keys
  const keyId = idOf(current)
  return {
    keyId,
    seal: (about, value) => {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', current, nonce).setAAD(Buffer.from(about))
      const text = Buffer.concat([cipher.update(value, 'utf8'), cipher.final()])
      return { keyId, sealed: new Uint8Array(Buffer.concat([nonce, cipher.getAuthTag(), text])) }
    },
    open: (about, { keyId: sealedBy, sealed }) => {
      const key = byId.get(sealedBy)
      if (!key) throw new Error(`The key ${sealedBy} of the secrets is not configured.`)
      const bytes = Buffer.from(sealed)
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
      decipher.setAAD(Buffer.from(about)).setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes))
      return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString('utf8')
    },
  }
}

/** Tells keys apart without saying anything of them. */
function idOf(key: Uint8Array): string {
  return createHash('sha256').update('PeerHost secrets key').update(key).digest('hex').slice(0, 16)
}
