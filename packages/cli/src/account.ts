import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Hex, isHex } from 'viem'
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts'
import { type CommandContext, UsageError } from './command.ts'
import { decryptKeystore, isKeystore } from './keystore.ts'
import type { AccountInput } from './sharedOptions.ts'

/** The private key that the command line or the environment names, or `undefined` when neither does. */
export async function readKey(context: CommandContext, { keyFile, account }: AccountInput): Promise<Hex | undefined> {
  if (keyFile && account) throw new UsageError('Give either --key-file or --account.')
  if (account) return unlock(context, account)
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
export function readKeyFile(context: CommandContext, file: string): Hex {
  const path = resolve(context.cwd, file)
  const text = readText(path)
  if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
    context.note(`${context.colors.yellow('note')} other users can read ${file}: chmod 600 ${file}`)
  if (isKeystore(text)) throw new UsageError(`${file} is an encrypted keystore.`, `Use --account ${file}.`)
  return asKey(text.trim(), file)
}

async function unlock(context: CommandContext, account: string): Promise<Hex> {
  const named = join(homedir(), '.foundry/keystores', account)
  const path = account.includes('/') || account.endsWith('.json') ? resolve(context.cwd, account) : named
  const text = readText(path)
  if (!isKeystore(text)) throw new UsageError(`${path} is not a keystore.`, 'Use --key-file for a key in plain hex.')
  return decryptKeystore(text, context.env.PEERHOST_PASSWORD ?? (await askPassword(context, path)))
}

async function askPassword(context: CommandContext, path: string): Promise<string> {
  if (!context.isInteractive)
    throw new UsageError(`The password of ${path} is missing.`, 'Set PEERHOST_PASSWORD, or run this on a terminal.')
  const { isCancel, password } = await import('@clack/prompts')
  const answer = await password({ message: `Password of ${path}`, output: process.stderr, signal: context.signal })
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
