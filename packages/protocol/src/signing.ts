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
    if (!isStrictSignature(signature)) return undefined
    try {
      return await recoverAddress({ hash: digest, signature })
    } catch {
      return undefined
    }
  },
}

/**
 * True for 65 bytes with v 27 or 28 and a low s: the only form the contract accepts, so that no party takes off chain
 * what the chain would refuse.
 */
export function isStrictSignature(signature: Hex): boolean {
  if (!/^0x[0-9a-f]{128}1[bc]$/i.test(signature)) return false
  return BigInt(`0x${signature.slice(66, 130)}`) <= halfOrder
}

/** Half the order of secp256k1 (SEC 2, section 2.4.1). */
const halfOrder = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n

/** A key that signs the protocol's digests, and its address. */
export type DigestSigner = { address: Address; sign: (digest: Hex) => Promise<Hex> }

/** Binds a private key to a `Signing`. */
export function createDigestSigner(privateKey: Hex, signing: Signing = pureSigning): DigestSigner {
  const account: PrivateKeyAccount = privateKeyToAccount(privateKey)
  return { address: account.address, sign: (digest) => signing.sign(privateKey, digest) }
}
