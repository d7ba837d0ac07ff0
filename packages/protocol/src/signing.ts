import { type Address, type Hex, recoverAddress } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount, sign } from 'viem/accounts'

/**
 * Signs and recovers 32-byte digests. A port, because the pure implementation costs milliseconds on the hot path of
 * gateway and worker: `createNativeSigning` of `@peerhost/protocol/native` does the same in a fraction of one.
 */
export type Signing = {
  /** 65-byte signature (r, s, v with v 27 or 28) of `digest` by the key. */
  sign: (privateKey: Hex, digest: Hex) => Promise<Hex>
  /** The address that signed, or `undefined` when the signature is not one. */
  recover: (digest: Hex, signature: Hex) => Promise<Address | undefined>
}

/** The pure implementation, for every platform. */
export const pureSigning: Signing = {
  sign: (privateKey, digest) => sign({ hash: digest, privateKey, to: 'hex' }),
  recover: async (digest, signature) => {
    try {
      return await recoverAddress({ hash: digest, signature })
    } catch {
      return undefined
    }
  },
}

/** A key that signs the protocol's digests, and its address. */
export type DigestSigner = { address: Address; sign: (digest: Hex) => Promise<Hex> }

/** Binds a private key to a `Signing`. */
export function createDigestSigner(privateKey: Hex, signing: Signing = pureSigning): DigestSigner {
  const account: PrivateKeyAccount = privateKeyToAccount(privateKey)
  return { address: account.address, sign: (digest) => signing.sign(privateKey, digest) }
}
