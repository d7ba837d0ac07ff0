import { resolve } from 'node:path'
import { type CommandContext, type OptionSpec, parseAddress } from './command.ts'

export type ProjectInput = { project?: string; creator?: `0x${string}` }

/** Which project's secrets a command is about. */
export const projectOptions: readonly OptionSpec[] = [
  { flags: '--project <name>', description: 'name of the project (default: the one of this folder)' },
  {
    flags: '--creator <address>',
    description: 'whose project it is, when this account owns its functions since a transfer',
    parse: parseAddress,
  },
]

/** The project that the command line names, or that of the current folder. */
export async function projectOf(
  context: CommandContext,
  { project, creator }: ProjectInput,
): Promise<{ project: string; creator: `0x${string}` | undefined; signal: AbortSignal }> {
  const { signal } = context
  if (project) return { project, creator, signal }
  const { projectNameOf } = await import('@peerhost/sdk/node')
  return { project: await projectNameOf(resolve(context.cwd)), creator, signal }
}
