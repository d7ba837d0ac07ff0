import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { type Envelope, readEnv } from '../messages.ts'

const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })

/** A key that is made here, opens one envelope and never leaves this process. */
export type EnvelopeKey = {
  /** 32 bytes, base64. */
  publicKey: string
  /** The environment in an envelope. Rejects for one that was sealed for another key or context, changed, or holds something else. */
  open: (envelope: Envelope) => Promise<Record<string, string>>
}

/** HPKE (RFC 9180) in base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM. */
export async function createEnvelopeKey(): Promise<EnvelopeKey> {
  const { privateKey, publicKey } = await suite.kem.generateKeyPair()
  return {
    publicKey: Buffer.from(await suite.kem.serializePublicKey(publicKey)).toString('base64'),
    open: async ({ context, encapsulatedKey, sealed }) => {
      const key = { recipientKey: privateKey, enc: bytes(encapsulatedKey), info: bytes(context) }
      const text = await suite.open(key, bytes(sealed))
      return readEnv(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text)))
    },
  }
}

function bytes(base64: string): ArrayBuffer {
  return new Uint8Array(Buffer.from(base64, 'base64')).buffer
}
