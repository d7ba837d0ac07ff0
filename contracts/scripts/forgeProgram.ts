import { createRequire } from 'node:module'

/**
 * The forge of this platform's package. The command that npm links starts the same program and then ends with 0 whatever that
 * said: a check that runs it can never fail.
 */
export function forgeProgram(): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch
  const suffix = process.platform === 'win32' ? '.exe' : ''
  return createRequire(import.meta.url).resolve(
    `@foundry-rs/forge-${process.platform}-${architecture}/bin/forge${suffix}`,
  )
}
