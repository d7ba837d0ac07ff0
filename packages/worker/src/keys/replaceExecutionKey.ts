import { readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createDigestSigner, type DigestSigner, isPeerHostError } from '@peerhost/protocol'
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts'
import type { WorkerDirectory } from '../workerDirectory.ts'
import { decryptKeystore, encryptKey, type KeystoreCost } from './keystore.ts'
import { readSecretFile, writeKeystoreFile } from './keystoreFile.ts'

export type ReplaceParameters<T> = {
  directory: WorkerDirectory
  /** Of the keystore that is replaced, where there is one: one password opens all keystores of a worker. */
  password: string
  /** Binds the new key on chain. */
  bind: (key: DigestSigner) => Promise<T>
  cost?: KeystoreCost
}

/**
 * Gives a worker's directory a fresh execution key once `bind` has put it on chain; the old keystore is kept beside it,
 * under its address. The new key is on disk before it is bound: a crash between the two loses nothing. Throws
 * `keystore_locked`, `conflict` when an earlier attempt was left in the middle, and what `bind` throws.
 */
export async function replaceExecutionKey<T>({ directory, password, bind, cost }: ReplaceParameters<T>): Promise<T> {
  const { executionKeystore } = directory
  const old = await oldAddress(executionKeystore, password)
  const next = join(directory.path, 'execution.next.keystore.json')
  const key = generatePrivateKey()
  await writeKeystoreFile(next, encryptKey(key, password, cost))
  let bound: T
  try {
    bound = await bind(createDigestSigner(key))
  } catch (error) {
    // Only then is it certain that the chain does not know the key.
    if (isPeerHostError(error) && error.code === 'transaction_failed') await rm(next)
    throw error
  }
  if (old) await rename(executionKeystore, join(directory.path, `execution-${old}.keystore.json`))
  await rename(next, executionKeystore)
  return bound
}

async function oldAddress(file: string, password: string): Promise<string | undefined> {
  const isThere = await readFile(file).then(
    () => true,
    () => false,
  )
  return isThere ? privateKeyToAddress(decryptKeystore(await readSecretFile(file), password)) : undefined
}
