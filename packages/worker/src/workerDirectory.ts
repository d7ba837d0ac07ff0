import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { PeerHostError } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts'
import { encryptKey, type KeystoreCost } from './keys/keystore.ts'
import { writeKeystoreFile } from './keys/keystoreFile.ts'

/** Everything of one worker in one place: its settings and its two keystores. */
export type WorkerDirectory = { path: string; settings: string; operatorKeystore: string; executionKeystore: string }

export type InitialSettings = {
  rpcUrls: readonly string[]
  chainId: number
  coordinator: Address
  gateways: readonly string[]
  blockSources: readonly string[]
  capacity: number
  metricsPort: number
}

type Environment = Readonly<Record<string, string | undefined>>

/** Names in the settings whose values are files; relative ones are the directory's. */
const fileSettings = [
  'PEERHOST_DATA_DIR',
  'PEERHOST_RUNTIME_DIR',
  'PEERHOST_EXECUTION_KEYSTORE',
  'PEERHOST_OPERATOR_KEYSTORE',
  'PEERHOST_KEYSTORE_PASSWORD_FILE',
]

/** Where a worker's files are: as named, else `PEERHOST_WORKER_DIR`, else below the home directory. */
export function workerDirectory(named: string | undefined, env: Environment, cwd = process.cwd()): WorkerDirectory {
  const path = resolve(cwd, named ?? (env.PEERHOST_WORKER_DIR || join(homedir(), '.peerhost/worker')))
  return {
    path,
    settings: join(path, 'worker.env'),
    operatorKeystore: join(path, 'operator.keystore.json'),
    executionKeystore: join(path, 'execution.keystore.json'),
  }
}

/** The settings of a directory beneath those of the environment; `undefined` where no worker was initialised. */
export async function readWorkerSettings(
  directory: WorkerDirectory,
  env: Environment,
): Promise<Record<string, string | undefined> | undefined> {
  const text = await readFile(directory.settings, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw new PeerHostError('config_invalid', `${directory.settings} cannot be read.`, { cause: error })
  })
  if (text === undefined) return undefined
  const settings: Record<string, string | undefined> = parseEnv(text)
  for (const name of fileSettings) if (settings[name]) settings[name] = resolve(directory.path, settings[name])
  const given = Object.entries(env).filter(([, value]) => value !== undefined && value !== '')
  return { ...settings, ...Object.fromEntries(given) }
}

/**
 * Makes the directory with two new keys, or the operator's key that is given, and the settings. Nothing that exists is
 * overwritten: throws `conflict`.
 */
export async function createWorkerDirectory(
  directory: WorkerDirectory,
  settings: InitialSettings,
  secrets: { password: string; operatorKey?: Hex | undefined; cost?: KeystoreCost },
): Promise<{ operator: Address; executionKey: Address }> {
  const { password, operatorKey = generatePrivateKey(), cost } = secrets
  const executionKey = generatePrivateKey()
  const found = [directory.operatorKeystore, directory.executionKeystore, directory.settings].filter(existsSync)
  if (found.length > 0)
    throw new PeerHostError('conflict', 'There is a worker in this directory already; nothing is overwritten.', {
      details: found,
      hint: 'Use it, move it away, or choose another directory.',
    })
  await mkdir(directory.path, { recursive: true, mode: 0o700 })
  // The settings come last: a directory without them is one that was never finished.
  await writeKeystoreFile(directory.operatorKeystore, encryptKey(operatorKey, password, cost))
  await writeKeystoreFile(directory.executionKeystore, encryptKey(executionKey, password, cost))
  await writeFile(directory.settings, settingsText(settings), { flag: 'wx', mode: 0o600 })
  return { operator: privateKeyToAddress(operatorKey), executionKey: privateKeyToAddress(executionKey) }
}

function settingsText({ rpcUrls, chainId, coordinator, gateways, blockSources, ...rest }: InitialSettings): string {
  return `# Settings of this worker. The environment overrides them; relative paths are this directory's.
# The next endpoint answers when one does not.
PEERHOST_RPC_URL=${rpcUrls.join(',')}
PEERHOST_CHAIN_ID=${chainId}
PEERHOST_COORDINATOR=${coordinator}
PEERHOST_GATEWAYS=${gateways.join(',')}
PEERHOST_BLOCK_SOURCES=${blockSources.join(',')}
PEERHOST_EXECUTION_KEYSTORE=execution.keystore.json
# The key to the stake stays closed while the worker runs. To settle with it instead of the execution key:
# PEERHOST_OPERATOR_KEYSTORE=operator.keystore.json
# A file with mode 600; without it the password is asked or read from standard input.
# PEERHOST_KEYSTORE_PASSWORD_FILE=password
PEERHOST_DATA_DIR=data
PEERHOST_CAPACITY=${rest.capacity}
PEERHOST_METRICS_PORT=${rest.metricsPort}
`
}
