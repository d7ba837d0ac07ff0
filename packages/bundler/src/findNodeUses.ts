import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metafile } from 'esbuild'
import { builtinName, globalBuiltins } from './builtins.ts'
import type { Failing } from './explainFailure.ts'
import { importChain, importersOf, packageOf } from './importChain.ts'

/** Globals of Node that somebody who writes a function may take for the language's. */
const nodeGlobal = /(?<![.\w$'"`])(Buffer|process|setImmediate|__dirname|__filename)\s*[.([]/

/**
 * What a bundle uses of Node: its modules, by whoever imports them, and its globals in the project's own files. Packages
 * that look whether a global is there have another way for where it is not. Empty: the web platform is enough.
 */
export async function findNodeUses({ directory, file }: Failing, metafile: Metafile): Promise<string[]> {
  const left = Object.values(metafile.outputs).flatMap(({ imports }) => imports.filter(({ external }) => external))
  const modules = [...new Set(left.map(({ path }) => builtinName(path) ?? path))].sort()
  const uses = modules.flatMap((name) =>
    importersOf(metafile, name).map((importer) =>
      [...(importChain(metafile, file, importer) ?? [importer]), `node:${name}`].join(' → '),
    ),
  )
  if (metafile.inputs[`global:${globalBuiltins.process}`]) uses.push(`${file} → node:process`)
  return [...new Set([...uses, ...(await globalsOf(directory, metafile))])]
}

async function globalsOf(directory: string, metafile: Metafile): Promise<string[]> {
  const own = Object.keys(metafile.inputs).filter((input) => /\.[cm]?[jt]sx?$/.test(input) && !packageOf(input))
  const found = await Promise.all(
    own.map(async (input) => {
      // What is no file, such as the entry that names the handlers, has no globals.
      const text = await readFile(join(directory, input), 'utf8').catch(() => '')
      const name = nodeGlobal.exec(withoutComments(text))?.[1]
      return name === undefined ? [] : [`${input} → ${name}`]
    }),
  )
  return found.flat().sort()
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}
