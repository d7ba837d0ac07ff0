import { readFile } from 'node:fs/promises'
import type { LocalWorker, WorkerDirectory } from '@peerhost/worker'
import type { Address } from 'viem'

/** The operator of a worker's directory, as its keystore names it. */
export function operatorOf({ operatorKeystore }: WorkerDirectory): Promise<Address | undefined> {
  return addressIn(operatorKeystore)
}

/** What a directory says of its worker without the password. Throws `config_invalid` for settings that are not complete. */
export async function readLocalWorker(
  directory: WorkerDirectory,
  settings: Record<string, string | undefined>,
): Promise<LocalWorker> {
  const { readOpenSettings } = await import('@peerhost/worker')
  const operatorKeystore = settings.PEERHOST_OPERATOR_KEYSTORE
  const executionKey = await addressIn(settings.PEERHOST_EXECUTION_KEYSTORE || directory.executionKeystore)
  const gasPayer = operatorKeystore ? await addressIn(operatorKeystore) : executionKey
  return { settings: readOpenSettings(settings), executionKey, gasPayer }
}

async function addressIn(keystore: string): Promise<Address | undefined> {
  const { keystoreAddress } = await import('@peerhost/worker')
  const text = await readFile(keystore, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : keystoreAddress(text)
}
