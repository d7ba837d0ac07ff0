import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { BuildOptions, Plugin } from 'esbuild'
import { builtinName, globalBuiltins, isAllowedBuiltin } from './builtins.ts'

/**
 * What every bundle is built with. Each line is part of the CID: see docs/decisions/0002-bundle-format.md.
 * `directory` is the project's real path.
 */
export function esbuildOptions(directory: string, plugin: Plugin): BuildOptions & { write: false; metafile: true } {
  const tsconfig = join(directory, 'tsconfig.json')
  return {
    absWorkingDir: directory,
    bundle: true,
    write: false,
    outfile: 'bundle.js',
    // Only for this platform esbuild honours what packages bring for places without Node's files and sockets.
    platform: 'browser',
    target: 'es2024',
    // The runtime evaluates a script, where `import()` has nothing to resolve against.
    supported: { 'dynamic-import': false },
    mainFields: ['browser', 'module', 'main'],
    conditions: ['peerhost', 'workerd', 'worker', 'browser'],
    define: { 'process.env.NODE_ENV': '"production"' },
    loader: { '.txt': 'text', '.html': 'text', '.md': 'text', '.wasm': 'binary' },
    minifyWhitespace: true,
    legalComments: 'none',
    charset: 'utf8',
    treeShaking: true,
    sourcemap: false,
    metafile: true,
    logLevel: 'silent',
    // Settings of folders around the project must not decide about its bytes.
    nodePaths: [],
    ...(existsSync(tsconfig) ? { tsconfig: 'tsconfig.json' } : { tsconfigRaw: {} }),
    plugins: [plugin],
  }
}

/** `strict` leaves unknown modules to esbuild, which fails; the others keep going, to learn more. */
export type ImportPolicy = 'strict' | 'without-packages' | 'lenient'

/**
 * Which modules a bundle may leave outside: the allowed ones of Node. Forbidden ones fall through to esbuild, so that a
 * package's own replacement counts and a `require` inside `try` is no error.
 */
export function importPolicy(policy: ImportPolicy): Plugin {
  return {
    name: 'peerhost-imports',
    setup(build) {
      build.onResolve({ filter: /^(node:)?[a-z0-9_]+(\/[a-z0-9_]+)*$/ }, ({ path, kind }) => {
        const name = builtinName(path)
        if (name === undefined || kind === 'entry-point') return undefined
        if (globalBuiltins[name]) return { path: name, namespace: 'global' }
        if (isAllowedBuiltin(path)) return { path: `node:${name}`, external: true, sideEffects: false }
        return policy === 'strict' ? undefined : { path: `node:${name}`, external: true, sideEffects: false }
      })
      build.onLoad({ filter: /.*/, namespace: 'global' }, ({ path }) => ({
        contents: `module.exports = globalThis.${globalBuiltins[path]}`,
        loader: 'js',
      }))
      if (policy !== 'strict') build.onResolve({ filter: /.*/ }, (args) => keepGoing(policy, build, args))
    },
  }
}

type PluginBuild = Parameters<Plugin['setup']>[0]
type ResolveArgs = Parameters<Parameters<PluginBuild['onResolve']>[1]>[0]

const asked = Symbol('asked')

async function keepGoing(policy: ImportPolicy, build: PluginBuild, args: ResolveArgs) {
  const { path, kind, importer, namespace, resolveDir, pluginData } = args
  if (kind === 'entry-point' || pluginData === asked) return undefined
  const isPackage = !/^(\.{0,2}\/|\.\.?$)/.test(path)
  if (policy === 'without-packages' && isPackage) return { path, external: true }
  if (policy === 'without-packages') return undefined
  const found = await build.resolve(path, { kind, importer, namespace, resolveDir, pluginData: asked })
  return found.errors.length > 0 ? { path, external: true } : undefined
}
