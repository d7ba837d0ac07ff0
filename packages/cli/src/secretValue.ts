import { type CommandContext, UsageError } from './command.ts'
import type { AccountInput } from './sharedOptions.ts'

/** A secret's value from the terminal, hidden, or from a pipe; never from an argument, where a process list shows it. */
export async function readSecretValue(
  context: CommandContext,
  name: string,
  { account }: AccountInput,
): Promise<string> {
  const { env, isInteractive, readLine, signal } = context
  if (isInteractive) {
    const { isCancel, password } = await import('@clack/prompts')
    const answer = await password({ message: `Value of ${name}`, output: process.stderr, signal })
    if (isCancel(answer) || answer === '') throw new UsageError('No value was given.')
    return answer
  }
  // One pipe has one line: it would be taken for both.
  if (account && !env.PEERHOST_KEYSTORE_PASSWORD_FILE && !env.PEERHOST_PASSWORD)
    throw new UsageError(
      'The pipe holds the value, so the password of the keystore has to come from elsewhere.',
      'Set PEERHOST_KEYSTORE_PASSWORD_FILE.',
    )
  const value = await readLine?.()
  if (value) return value
  throw new UsageError('No value was given.', `Pipe it in: peerhost secret set ${name} < file.`)
}
