import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'
import type { RuntimePrograms } from './programs.ts'

/** Bundles the programs from the sources. The same sources give the same bytes, in any folder. */
export async function bundlePrograms(): Promise<RuntimePrograms> {
  const [supervisor, envelope, nodeHost, realmHost, realm] = await Promise.all([
    bundle('supervisor', {}),
    // Apart from the supervisor: most functions never need it.
    bundle('envelope', {}),
    bundle('nodeHost', {}),
    bundle('realmHost', {}),
    // A script whose value is the one function that it exports.
    bundle('realm', {
      format: 'iife',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      conditions: ['import'],
      globalName: 'realm',
      footer: { js: 'realm.createRealm' },
      minify: true,
      banner: { js: '"use strict";' },
    }),
  ])
  return { supervisor, envelope, nodeHost, realmHost, realm }
}

async function bundle(name: keyof RuntimePrograms, options: BuildOptions): Promise<Uint8Array> {
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
    logLevel: 'silent',
    ...options,
    write: false,
  })
  const [file] = result.outputFiles ?? []
  if (!file) throw new Error(`Nothing came out of bundling the ${name}.`)
  return file.contents
}
