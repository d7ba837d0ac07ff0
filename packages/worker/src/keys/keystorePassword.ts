import { PeerHostError } from '@peerhost/protocol'
import { readSecretFile } from './keystoreFile.ts'

/** Where a password may come from, in this order: a file, a person, standard input. */
export type PasswordSources = {
  /** `PEERHOST_KEYSTORE_PASSWORD_FILE`. */
  passwordFile?: string | undefined
  /** Asks a person, without showing what is typed. Absent where there is no terminal. */
  ask?: ((question: string) => Promise<string>) | undefined
  /** The first line of standard input, `undefined` when there is none. Absent on a terminal. */
  readLine?: (() => Promise<string | undefined>) | undefined
}

/** The password of a keystore. Throws `keystore_locked` when no source has one. */
export async function readKeystorePassword(sources: PasswordSources, question: string): Promise<string> {
  const { passwordFile, ask, readLine } = sources
  const given =
    passwordFile === undefined
      ? await (ask ? ask(question) : readLine?.())
      : firstLine(await readSecretFile(passwordFile))
  if (given) return given
  throw new PeerHostError('keystore_locked', 'The password of the keystore is missing.', {
    hint: 'Set PEERHOST_KEYSTORE_PASSWORD_FILE to a file with mode 600, run this on a terminal, or pipe the password in.',
  })
}

/** The same sources, asked once: one password opens both keystores of a worker. */
export function rememberedPassword(sources: PasswordSources): (question: string) => Promise<string> {
  let password: Promise<string> | undefined
  return (question) => {
    password ??= readKeystorePassword(sources, question)
    return password
  }
}

/** The first line of a stream that is not a terminal. */
export async function readFirstLine(input: AsyncIterable<Uint8Array | string>): Promise<string | undefined> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of input) {
    text += typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    if (text.includes('\n')) break
  }
  return firstLine(text) || undefined
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0]?.replace(/\r$/, '') ?? ''
}
