import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The two programs of the sandbox, each as one CommonJS file. */
export type RuntimePrograms = { readonly supervisor: Uint8Array; readonly host: Uint8Array }

const shipped = (name: string) => fileURLToPath(new URL(`./${name}.cjs`, import.meta.url))

/** Reads the programs of the published package, or bundles them when this runs from the sources. */
export async function loadPrograms(): Promise<RuntimePrograms> {
  const built = await access(shipped('supervisor')).then(
    () => true,
    () => false,
  )
  if (!built) return (await import('./bundlePrograms.ts')).bundlePrograms()
  return { supervisor: await readFile(shipped('supervisor')), host: await readFile(shipped('host')) }
}

/** Writes the programs into `directory`, for a sandbox that has no image. Returns the supervisor's path. */
export async function writePrograms({ directory }: { directory: string }): Promise<{ supervisor: string }> {
  const programs = await loadPrograms()
  await mkdir(directory, { recursive: true })
  for (const name of ['host', 'supervisor'] as const) {
    const temporary = join(directory, `${name}.${process.pid}.tmp`)
    await writeFile(temporary, programs[name])
    await rename(temporary, join(directory, `${name}.cjs`))
  }
  return { supervisor: join(directory, 'supervisor.cjs') }
}
