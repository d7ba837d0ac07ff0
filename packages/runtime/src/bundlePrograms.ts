import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { RuntimePrograms } from './programs.ts'

/** Bundles the programs from the sources. The same sources give the same bytes, in any folder. */
export async function bundlePrograms(): Promise<RuntimePrograms> {
  const [supervisor, host] = await Promise.all([bundle('supervisor'), bundle('host')])
  return { supervisor, host }
}

async function bundle(name: 'supervisor' | 'host'): Promise<Uint8Array> {
  const result = await build({
    entryPoints: [`./${name}/main.ts`],
    absWorkingDir: fileURLToPath(new URL('.', import.meta.url)),
    bundle: true,
    format: 'cjs',
    platform: 'node',
    target: 'node24',
    charset: 'utf8',
    legalComments: 'none',
    tsconfigRaw: '{}',
    write: false,
    logLevel: 'silent',
  })
  const [file] = result.outputFiles
  if (!file) throw new Error(`Nothing came out of bundling the ${name}.`)
  return file.contents
}
