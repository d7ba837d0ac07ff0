import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { PeerHostError } from '@peerhost/protocol'
import { onTestFinished } from 'vitest'
import { type BuiltProject, buildProject, type ProjectOverrides } from '../src/index.ts'

/** Path → text. Every project gets a package.json unless it brings one. */
export type Files = Record<string, string>

/** A new folder with these files, removed with the test. */
export async function makeFolder(files: Files, name = 'project'): Promise<string> {
  const parent = await realpath(await mkdtemp(join(tmpdir(), 'peerhost-bundler-')))
  onTestFinished(() => rm(parent, { recursive: true, force: true }))
  const directory = join(parent, name)
  await writeFiles(directory, files)
  return directory
}

export async function writeFiles(directory: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true })
    await writeFile(join(directory, path), text)
  }
}

export async function makeProject(files: Files): Promise<string> {
  return makeFolder({ 'package.json': '{"name":"demo","type":"module"}', ...files })
}

/** Builds a project of these files. */
export async function buildFiles(files: Files, overrides: ProjectOverrides = {}): Promise<BuiltProject> {
  return buildProject({ directory: await makeProject(files), overrides })
}

/** The error that building these files ends with. */
export async function failureOf(files: Files, overrides: ProjectOverrides = {}): Promise<PeerHostError> {
  return buildFiles(files, overrides).then(
    () => {
      throw new Error('The build succeeded.')
    },
    (error: PeerHostError) => error,
  )
}

/** Evaluates a bundle the way the runtime does. */
export function evaluate(bundle: Uint8Array, require: (id: string) => unknown = () => ({})): Record<string, unknown> {
  const module = { exports: {} as Record<string, unknown> }
  new Function('module', 'exports', 'require', new TextDecoder().decode(bundle))(module, module.exports, require)
  return module.exports
}

export const hello = 'export default { fetch: () => new Response("hello") }'
