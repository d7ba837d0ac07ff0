import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from '@hpke/core'
import { toBase64 } from '@peerhost/protocol'
import type { SealEnvironment } from '../../src/sandbox/environment.ts'

const context = new TextEncoder().encode('this request')

/** Seals an environment as a requester does, written out by hand: what the sandbox opens does not depend on the gateway's code. */
export function sealing(values: object, { sealedFor = context }: { sealedFor?: Uint8Array } = {}): SealEnvironment {
  return async (publicKey) => {
    const suite = new CipherSuite({
      kem: new DhkemX25519HkdfSha256(),
      kdf: new HkdfSha256(),
      aead: new Aes256Gcm(),
    })
    const key = await suite.kem.deserializePublicKey(bufferOf(Buffer.from(publicKey, 'base64')))
    const text = new TextEncoder().encode(JSON.stringify(values))
    const { enc, ct } = await suite.seal({ recipientPublicKey: key, info: bufferOf(sealedFor) }, bufferOf(text))
    return {
      context: toBase64(context),
      encapsulatedKey: toBase64(new Uint8Array(enc)),
      sealed: toBase64(new Uint8Array(ct)),
    }
  }
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
