import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Hex, isHex } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { type CommandContext, UsageError } from './command.ts'
import type { AccountInput } from './sharedOptions.ts'

/** The private key that the command line or the environment names, or `undefined` when neither does. */
export async function readKey(context: CommandContext, { keyFile, account }: AccountInput): Promise<Hex | undefined> {
  if (keyFile && account) throw new UsageError('Give either --key-file or --account.')
  if (account) return unlockAccount(context, account)
  if (keyFile) return readKeyFile(context, keyFile)
  const key = context.env.PEERHOST_KEY
  return key ? asKey(key, 'PEERHOST_KEY') : undefined
}

/** The account of `readKey`. */
export async function readAccount(
  context: CommandContext,
  input: AccountInput,
): Promise<PrivateKeyAccount | undefined> {
  const key = await readKey(context, input)
  return key && privateKeyToAccount(key)
}

/** The private key in a file, in hex. Warns when other users of the machine can read it. */
export async function readKeyFile(context: CommandContext, file: string): Promise<Hex> {
  const { isKeystore } = await import('@peerhost/worker')
  const path = resolve(context.cwd, file)
  const text = readText(path)
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
    context.note(`${context.colors.yellow('note')} other users can read ${file}: chmod 600 ${file}`)
  if (isKeystore(text)) throw new UsageError(`${file} is an encrypted keystore.`, `Use --account ${file}.`)
  return asKey(text.trim(), file)
}

/** The private key in a keystore. Throws `keystore_locked` for a wrong or missing password. */
export async function unlockKeystore(context: CommandContext, path: string): Promise<Hex> {
  const { decryptKeystore, isKeystore, readSecretFile } = await import('@peerhost/worker')
  const text = await readSecretFile(path)
  if (!isKeystore(text)) throw new UsageError(`${path} is not a keystore.`, 'Use --key-file for a key in plain hex.')
  return decryptKeystore(text, await readPassword(context, `Password of ${path}`))
}

/** A password from where the caller can give one: a file, the environment, the terminal, a pipe. */
export async function readPassword(context: CommandContext, question: string): Promise<string> {
  const { env, isInteractive, readLine } = context
  const { readKeystorePassword } = await import('@peerhost/worker')
  const asked = isInteractive ? (text: string) => askPassword(context, text) : undefined
  const named = env.PEERHOST_PASSWORD
  const ask = named ? async () => named : asked
  return readKeystorePassword(
    { passwordFile: env.PEERHOST_KEYSTORE_PASSWORD_FILE || undefined, ask, readLine },
    question,
  )
}

function unlockAccount(context: CommandContext, account: string): Promise<Hex> {
  const isFile = account.includes('/') || account.endsWith('.json')
  return unlockKeystore(
    context,
    isFile ? resolve(context.cwd, account) : join(homedir(), '.foundry/keystores', account),
  )
}

async function askPassword({ signal }: CommandContext, message: string): Promise<string> {
  const { isCancel, password } = await import('@clack/prompts')
  const answer = await password({ message, output: process.stderr, signal })
  if (isCancel(answer)) throw new UsageError('No password was given.')
  return answer
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    throw new UsageError(`${path} cannot be read.`)
  }
}

function asKey(text: string, source: string): Hex {
  const key = text.startsWith('0x') ? text : `0x${text}`
  if (isHex(key) && key.length === 66) return key
  throw new UsageError(`${source} does not hold a private key.`, 'A key is 32 bytes of hex.')
}
