import crypto from 'node:crypto'

/** Gives the next bytes of chance. They go on without end. */
export type Keystream = (length: number) => Uint8Array

/** The bytes of chance that a seed of 32 bytes decides, the same on every machine: AES-256 in counter mode. */
export function createKeystream(seed: Uint8Array): Keystream {
  const cipher = crypto.createCipheriv('aes-256-ctr', seed, Buffer.alloc(16))
  return (length) => cipher.update(Buffer.alloc(length))
}
