import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { LIMITS, PeerHostError } from '@peerhost/protocol'

/** The name a folder has when nobody named it: from its package.json without the scope, else the folder's own. */
export async function defaultProjectName(directory: string): Promise<string> {
  const name = toProjectName((await packageName(directory)) ?? basename(directory))
  if (name !== '') return name
  throw new PeerHostError('config_invalid', 'The project has no usable name.', {
    hint: 'Write one into peerhost.jsonc: { "name": "my-project" }.',
  })
}

/** `text` with everything replaced that a project name cannot hold; may be empty. */
function toProjectName(text: string): string {
  return text
    .toLowerCase()
    .replace(/^@[^/]*\//, '')
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, LIMITS.nameCharacters)
    .replace(/^-+|-+$/g, '')
}

async function packageName(directory: string): Promise<string | undefined> {
  try {
    const { name } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as { name?: unknown }
    return typeof name === 'string' && name !== '' ? name : undefined
  } catch {
    return undefined
  }
}
