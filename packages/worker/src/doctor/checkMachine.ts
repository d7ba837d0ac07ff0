import { mkdir, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { keystoreAddress } from '../keys/keystore.ts'
import { readSecretFile } from '../keys/keystoreFile.ts'
import { type Check, fail, ok, problemOf, warn } from './check.ts'

type Environment = Readonly<Record<string, string | undefined>>

const GiB = 1_073_741_824
const leastFree = GiB
const comfortableFree = 5 * GiB
const neededNode = 24

/** The Node that runs this: functions run with the same one. */
export function checkNode(version = process.versions.node): Check {
  if (Number(version.split('.')[0]) === neededNode) return ok('node', version)
  return fail('node', `${version}: the runtime image is made of Node ${neededNode}.`, `Install Node ${neededNode}.`)
}

/** Room where journal, blocks and the runtime image are kept. */
export async function checkDisk(directory: string): Promise<Check> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const { bavail, bsize } = await statfs(directory)
    const free = bavail * bsize
    const detail = `${(free / GiB).toFixed(1)} GiB free at ${directory}`
    const next = 'Make room, or set PEERHOST_DATA_DIR to another disk.'
    if (free < leastFree) return fail('disk', detail, next)
    return free < comfortableFree ? warn('disk', detail, next) : ok('disk', detail)
  } catch (error) {
    return fail('disk', problemOf(error), 'PEERHOST_DATA_DIR must be a directory that this user may write.')
  }
}

/** Keystores and password file, as far as they can be checked without the password. */
export async function checkKeystores(env: Environment): Promise<Check[]> {
  const checks: Check[] = []
  const keys = [
    { name: 'execution key', plain: 'PEERHOST_EXECUTION_KEY', file: env.PEERHOST_EXECUTION_KEYSTORE, isNeeded: true },
    { name: 'operator key', plain: 'PEERHOST_OPERATOR_KEY', file: env.PEERHOST_OPERATOR_KEYSTORE, isNeeded: false },
  ]
  for (const { name, plain, file, isNeeded } of keys) {
    if (file) checks.push(await checkKeystore(name, file))
    else if (env[plain]) checks.push(warn(name, 'It stands in the environment in plain text.', `Use ${plain}STORE.`))
    else if (isNeeded) checks.push(fail(name, 'There is none.', 'peerhost worker init makes one.'))
  }
  const passwordFile = env.PEERHOST_KEYSTORE_PASSWORD_FILE
  if (passwordFile) checks.push(await checkPasswordFile(passwordFile))
  return checks
}

async function checkKeystore(name: string, file: string): Promise<Check> {
  try {
    const address = keystoreAddress(await readSecretFile(file))
    const { mode } = await stat(dirname(file))
    if ((mode & 0o022) !== 0)
      return warn(name, `Others may replace files in ${dirname(file)}.`, `chmod go-w ${dirname(file)}`)
    return ok(name, `${address ?? 'address not in the file'}, ${file}`)
  } catch (error) {
    return fail(name, problemOf(error), (error as { hint?: string }).hint ?? 'Restore it from its copy.')
  }
}

async function checkPasswordFile(file: string): Promise<Check> {
  try {
    const text = await readSecretFile(file)
    if (text.trim() !== '') return ok('password file', file)
    return fail('password file', `${file} is empty.`, 'Write the password of the keystores into its first line.')
  } catch (error) {
    return fail('password file', problemOf(error), `chmod 600 ${file}`)
  }
}
