import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { createCommand, UsageError } from '../command.ts'
import { projectFiles } from '../projectFiles.ts'

type Input = { directory?: string }

/** `peerhost init [directory]` */
export const initCommand = createCommand<Input>({
  name: 'init',
  summary: 'write a project with a free and a priced function',
  examples: ['peerhost init my-api'],
  arguments: [{ name: 'directory', description: 'where to (default: this folder)' }],
  run: async (context, input) => {
    const directory = resolve(context.cwd, input.directory ?? (await askDirectory(context)))
    const name = projectName(basename(directory))
    const files = projectFiles(name)
    const taken = Object.keys(files).filter((file) => existsSync(join(directory, file)))
    if (taken.length > 0)
      throw new UsageError(
        `${taken.join(', ')} ${taken.length === 1 ? 'is' : 'are'} there already.`,
        'Name a folder that does not have them: peerhost init my-api.',
      )
    for (const [file, text] of Object.entries(files)) {
      const path = join(directory, file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, text, { flag: 'wx' })
    }
    const enter = relative(context.cwd, directory)
    const next = enter === '' ? 'peerhost dev' : `cd ${enter} && peerhost dev`
    return {
      data: { directory, project: name, files: Object.keys(files), next },
      text: `${Object.keys(files)
        .map((file) => `wrote ${join(enter, file)}`)
        .join('\n')}\n\nNext:\n  ${next}`,
    }
  },
})

async function askDirectory({
  cwd,
  isInteractive,
  signal,
}: {
  cwd: string
  isInteractive: boolean
  signal: AbortSignal
}): Promise<string> {
  if (!isInteractive || readdirSync(cwd).length === 0) return '.'
  const { isCancel, text } = await import('@clack/prompts')
  const answer = await text({
    message: 'Name of the new folder?',
    placeholder: 'my-api',
    defaultValue: 'my-api',
    output: process.stderr,
    signal,
  })
  if (isCancel(answer)) throw new UsageError('No folder was named.')
  return answer
}

function projectName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 64)
  return name === '' ? 'my-api' : name
}
