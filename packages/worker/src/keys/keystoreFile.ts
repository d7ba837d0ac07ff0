import { readFile, stat, writeFile } from 'node:fs/promises'
import { PeerHostError } from '@peerhost/protocol'

/** Writes a new file that only its owner can read. Throws `conflict` when there is one: a key is never overwritten. */
export async function writeKeystoreFile(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: 'wx', mode: 0o600 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
    throw new PeerHostError('conflict', 'There is a keystore already; it is not overwritten.', {
      details: [`File: ${path}`],
      hint: 'Use it, move it away, or choose another directory.',
    })
  })
}

/** The text of a file that holds a secret. Throws `config_invalid` when it cannot be read, or by more than its owner. */
export async function readSecretFile(path: string): Promise<string> {
  const wider = await modeProblem(path)
  if (wider) throw new PeerHostError('config_invalid', wider, { hint: `chmod 600 ${path}` })
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new PeerHostError('config_invalid', `${path} cannot be read.`, { cause })
  })
}

/** What is wrong with the permissions of a secret's file, or `undefined`. */
async function modeProblem(path: string): Promise<string | undefined> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new PeerHostError('config_invalid', `${path} cannot be read.`, {
      hint: 'Make it with `peerhost worker init`, or name another file.',
      cause,
    })
  })
  if (process.platform === 'win32' || (found.mode & 0o077) === 0) return undefined
  return `Other users of this machine can read ${path} (mode ${(found.mode & 0o777).toString(8)}).`
}
