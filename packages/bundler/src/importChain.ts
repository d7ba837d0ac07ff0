import type { Metafile } from 'esbuild'

/** The file's package, or `undefined` for the project's own files. Works for npm's and pnpm's layouts. */
export function packageOf(input: string): string | undefined {
  const marker = 'node_modules/'
  const at = input.lastIndexOf(marker)
  if (at === -1) return undefined
  const [scopeOrName = '', name = ''] = input.slice(at + marker.length).split('/')
  return scopeOrName.startsWith('@') ? `${scopeOrName}/${name}` : scopeOrName
}

/** How `entry` comes to `input`, shortest way: files of the project, then packages. Undefined when it does not. */
export function importChain(metafile: Metafile, entry: string, input: string): string[] | undefined {
  const cameFrom = new Map<string, string | undefined>([[entry, undefined]])
  for (const file of cameFrom.keys()) {
    if (file === input) break
    for (const { path, external } of metafile.inputs[file]?.imports ?? []) {
      if (!external && !cameFrom.has(path)) cameFrom.set(path, file)
    }
  }
  if (!cameFrom.has(input)) return undefined
  const files: string[] = []
  for (let at: string | undefined = input; at !== undefined; at = cameFrom.get(at)) files.unshift(at)
  const labels = files.map((file) => packageOf(file) ?? file)
  return labels.filter((label, index) => label !== labels[index - 1])
}

/** The files that import the external `specifier` (with or without `node:`). */
export function importersOf(metafile: Metafile, specifier: string): string[] {
  const bare = (path: string) => path.replace(/^node:/, '')
  return Object.entries(metafile.inputs)
    .filter(([, { imports }]) => imports.some(({ path, external }) => external && bare(path) === bare(specifier)))
    .map(([file]) => file)
}
