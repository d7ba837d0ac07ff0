import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { fromBase64, type SealedEnvironment, toBase64 } from '@peerhost/protocol'

const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Aes256Gcm() })

/**
 * Seals names and values for the key of one sandbox, bound to `context`: HPKE (RFC 9180) in base mode with DHKEM(X25519, HKDF-SHA256),
 * HKDF-SHA256 and AES-256-GCM, with a sender's key of its own for each envelope. Rejects for what is no X25519 key.
 */
export async function sealEnvironment(
  values: ReadonlyMap<string, string>,
  { publicKey, context }: { publicKey: string; context: Uint8Array },
): Promise<SealedEnvironment> {
  const recipientPublicKey = await suite.kem.deserializePublicKey(bufferOf(fromBase64(publicKey)))
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(values)))
  const { enc, ct } = await suite.seal({ recipientPublicKey, info: bufferOf(context) }, bufferOf(text))
  return { encapsulatedKey: toBase64(new Uint8Array(enc)), sealed: toBase64(new Uint8Array(ct)) }
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
