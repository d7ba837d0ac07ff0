import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The programs of the sandbox, each one file. `realm` is the script that makes a V8 context a realm. */
export type RuntimePrograms = Readonly<Record<keyof typeof programFiles, Uint8Array>>

/** Under which name each program lies, in the image and beside the supervisor. */
export const programFiles = {
  supervisor: 'supervisor.cjs',
  envelope: 'envelope.cjs',
  nodeHost: 'nodeHost.cjs',
  realmHost: 'realmHost.cjs',
  realm: 'realm.js',
} as const

const shipped = (file: string) => fileURLToPath(new URL(`./${file}`, import.meta.url))

/** Reads the programs of the published package, or bundles them when this runs from the sources. */
export async function loadPrograms(): Promise<RuntimePrograms> {
  const built = await access(shipped(programFiles.supervisor)).then(
    () => true,
    () => false,
  )
  if (!built) return (await import('./bundlePrograms.ts')).bundlePrograms()
  const read = async ([name, file]: [string, string]) => [name, await readFile(shipped(file))] as const
  return Object.fromEntries(await Promise.all(Object.entries(programFiles).map(read))) as unknown as RuntimePrograms
}

/** Writes the programs into `directory`, for a sandbox that has no image. Returns the supervisor's path. */
export async function writePrograms({ directory }: { directory: string }): Promise<{ supervisor: string }> {
  const programs = await loadPrograms()
  await mkdir(directory, { recursive: true })
  for (const [name, file] of Object.entries(programFiles)) {
    const temporary = join(directory, `${file}.${process.pid}.tmp`)
    await writeFile(temporary, programs[name as keyof RuntimePrograms])
    await rename(temporary, join(directory, file))
  }
  return { supervisor: join(directory, programFiles.supervisor) }
}
