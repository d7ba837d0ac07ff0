import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { build as buildDist } from 'tsup'
import { afterAll, beforeAll, expect, test } from 'vitest'

const folder = join(import.meta.dirname, '..')
let dist: string

beforeAll(async () => {
  dist = await mkdtemp(join(tmpdir(), 'peerhost-dist-'))
  await buildDist({
    config: false,
    entry: { index: join(folder, 'src/index.ts'), node: join(folder, 'src/node.ts') },
    format: ['esm'],
    target: 'es2023',
    outDir: dist,
    silent: true,
    external: [/^[^./]/],
  })
})
afterAll(() => rm(dist, { recursive: true, force: true }))

/** Everything an entry of dist imports, with its dependencies, as a bundler for browsers follows it. */
async function graphOf(entry: string) {
  const built = await build({
    entryPoints: [join(dist, entry)],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'browser',
    format: 'esm',
    logLevel: 'silent',
    conditions: ['@peerhost/source'],
    nodePaths: [join(folder, '../../node_modules')],
    external: ['node:*', ...builtinModules],
  })
  const inputs = Object.values(built.metafile.inputs)
  return {
    external: inputs
      .flatMap(({ imports }) => imports.filter(({ external }) => external).map(({ path }) => path))
      // esbuild's name for its own helpers.
      .filter((path) => path !== '<runtime>'),
    files: Object.keys(built.metafile.inputs),
    code: built.outputFiles.map(({ text }) => text).join('\n'),
  }
}

test('the root entry reaches no module of Node, whatever it imports', async () => {
  const { external, files, code } = await graphOf('index.js')
  expect(external).toEqual([])
  expect(files.some((file) => file.includes('packages/protocol/src'))).toBe(true)
  expect(files.some((file) => /packages\/(bundler|storage)\//.test(file))).toBe(false)
  expect(code).not.toMatch(/\bprocess\.(cwd|exit|on)\b|\brequire\(["']node:/)
})

test('the scan would notice: the Node entry does reach modules of Node', async () => {
  expect((await graphOf('node.js')).external.length).toBeGreaterThan(0)
})

test('dist of the root entry names no module of Node', async () => {
  const reached = new Set(['index.js'])
  for (const file of reached) {
    const code = await readFile(join(dist, file), 'utf8')
    for (const [, specifier = ''] of code.matchAll(/from\s*["']([^"']+)["']/g)) {
      expect(specifier).not.toMatch(/^node:/)
      expect(builtinModules).not.toContain(specifier)
      if (specifier.startsWith('./')) reached.add(specifier.slice(2))
    }
  }
  expect(await readdir(dist)).toEqual(expect.arrayContaining([...reached]))
})
