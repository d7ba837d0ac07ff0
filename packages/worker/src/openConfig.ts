import { PeerHostError } from '@peerhost/protocol'
import { readConfig, type WorkerConfig } from './config.ts'
import type { PasswordSources } from './keys/keystorePassword.ts'
import { unlockKeys } from './keys/unlockKeys.ts'
import { readWorkerSettings, workerDirectory } from './workerDirectory.ts'

/**
 * The settings that a worker starts with: those of the environment, above those of its directory where
 * `PEERHOST_WORKER_DIR` names one; keys from their keystores. Throws `config_invalid` and `keystore_locked`.
 */
export async function openConfig(
  env: Readonly<Record<string, string | undefined>>,
  sources: Omit<PasswordSources, 'passwordFile'>,
): Promise<WorkerConfig> {
  if (!env.PEERHOST_WORKER_DIR) return readConfig(await unlockKeys(env, sources))
  const directory = workerDirectory(env.PEERHOST_WORKER_DIR, env)
  const settings = await readWorkerSettings(directory, env)
  if (settings) return readConfig(await unlockKeys(settings, sources))
  throw new PeerHostError('config_invalid', 'There is no worker in this directory.', {
    details: [`Directory: ${directory.path}`],
    hint: 'Make one with `peerhost worker init`.',
  })
}
