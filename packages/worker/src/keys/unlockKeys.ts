import { PeerHostError } from '@peerhost/protocol'
import { decryptKeystore } from './keystore.ts'
import { readSecretFile } from './keystoreFile.ts'
import { type PasswordSources, rememberedPassword } from './keystorePassword.ts'

type Environment = Readonly<Record<string, string | undefined>>

const keys = [
  { key: 'PEERHOST_EXECUTION_KEY', keystore: 'PEERHOST_EXECUTION_KEYSTORE' },
  { key: 'PEERHOST_OPERATOR_KEY', keystore: 'PEERHOST_OPERATOR_KEYSTORE' },
] as const

/**
 * The settings with the keys that their keystores hold. The process's own environment is not touched: it can be read
 * from outside. Throws `keystore_locked` and `config_invalid`.
 */
export async function unlockKeys(
  env: Environment,
  sources: Omit<PasswordSources, 'passwordFile'> = {},
): Promise<Record<string, string | undefined>> {
  const password = rememberedPassword({ ...sources, passwordFile: env.PEERHOST_KEYSTORE_PASSWORD_FILE || undefined })
  const unlocked: Record<string, string | undefined> = { ...env }
  for (const { key, keystore } of keys) {
    const file = env[keystore]
    if (!file) continue
    if (env[key])
      throw new PeerHostError('config_invalid', `${key} and ${keystore} are both set.`, {
        hint: 'Leave the plain key out.',
      })
    const text = await readSecretFile(file)
    unlocked[key] = decryptKeystore(text, await password(`Password of ${file}`))
  }
  return unlocked
}
