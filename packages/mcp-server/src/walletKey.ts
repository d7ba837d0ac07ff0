import { constants, type FileHandle, open } from 'node:fs/promises'
import { PeerHostError } from '@peerhost/protocol'
import type { Hex, LocalAccount } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

/** The account of the wallet, where its key came from, and the key itself for the log to hide. */
export type WalletKey = { account: LocalAccount; source: 'file' | 'environment'; secret: string }

/** Chains whose money is play money: only there may a key come from the environment. */
export const testChainIds: readonly number[] = [84_532, 80_002, 11_155_111, 31_337]

/**
 * Reads the wallet's key, or `undefined` when none is configured. A file must belong to this user and be readable by nobody
 * else; two keys at once are refused. Errors never hold what was read.
 */
export async function readWalletKey(keys: { file?: string; value?: string }): Promise<WalletKey | undefined> {
  if (keys.file !== undefined && keys.value !== undefined)
    throw invalid('Two wallet keys are configured.', 'Set PEERHOST_MCP_KEY_FILE or PEERHOST_MCP_KEY, not both.')
  if (keys.file !== undefined) {
    const text = (await readPrivateFile(keys.file)).trim()
    return { ...toAccount(text, `The file ${keys.file}`), source: 'file' }
  }
  if (keys.value !== undefined) return { ...toAccount(keys.value.trim(), 'PEERHOST_MCP_KEY'), source: 'environment' }
  return undefined
}

async function readPrivateFile(path: string): Promise<string> {
  let file: FileHandle | undefined
  try {
    file = await open(path, constants.O_RDONLY)
    const stat = await file.stat()
    if (!stat.isFile() || stat.size > 4_096) throw invalid(`The key file ${path} is not a small file.`)
    if (process.platform !== 'win32') {
      if ((stat.mode & 0o077) !== 0)
        throw invalid(`The key file ${path} can be read by others.`, `Run: chmod 600 ${path}`)
      if (stat.uid !== process.getuid?.()) throw invalid(`The key file ${path} belongs to another user.`)
    }
    return await file.readFile('utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (error instanceof Error && error.name === 'PeerHostError') throw error
    throw invalid(`The key file ${path} cannot be read (${code}).`)
  } finally {
    await file?.close()
  }
}

function toAccount(text: string, where: string): { account: LocalAccount; secret: string } {
  const secret = (text.startsWith('0x') ? text : `0x${text}`) as Hex
  try {
    if (!/^0x[0-9a-f]{64}$/i.test(secret)) throw new TypeError('not 32 bytes')
    return { account: privateKeyToAccount(secret), secret }
  } catch {
    throw invalid(`${where} does not hold a private key.`, 'It has to be 32 bytes as hex, and nothing else.')
  }
}

function invalid(message: string, hint?: string): PeerHostError {
  return new PeerHostError('config_invalid', message, hint === undefined ? {} : { hint })
}
