import { join, resolve, sep } from 'node:path'
import { LIMITS, PeerHostError } from '@peerhost/protocol'
import { type BuildFailure, type BuildResult, build, type Metafile } from 'esbuild'
import { builtinName, isAllowedBuiltin } from './builtins.ts'
import { type FunctionMethod, functionMethods } from './configSchema.ts'
import { esbuildOptions, importPolicy } from './esbuildOptions.ts'
import {
  explainFailure,
  type Failing,
  forbiddenImport,
  formatMessage,
  isBuildFailure,
  unresolved,
} from './explainFailure.ts'
import { findNodeUses } from './findNodeUses.ts'
import { importChain, packageOf } from './importChain.ts'

export type BundleFunctionParameters = Failing & {
  /** Files may come from below this folder, and from `node_modules` of the project and of the folders around it. */
  sourceRoot: string
}

/** The directive by which the runtime knows that a bundle wants Node and not only the web platform. */
const useNode = '"use node";'

export type FunctionBundle = {
  bundle: Uint8Array
  /** Methods the exports can answer: all of them for a default export. */
  methods: FunctionMethod[]
  warnings: string[]
  /** What it uses of Node, each with the way to it; none: the web platform is enough for it. */
  nodeUses: string[]
}

/**
 * Bundles one function into one CommonJS script: same source, same bytes, in whatever folder. Runs no code of it.
 * Throws `build_failed` (with the chain of imports) or `bundle_too_large` (with the largest inputs).
 */
export async function bundleFunction(parameters: BundleFunctionParameters): Promise<FunctionBundle> {
  const { directory, file, sourceRoot } = parameters
  try {
    const handlers = await readExports(parameters)
    const { metafile, outputFiles, warnings } = await buildScript(parameters, handlers.names)
    assertInside(parameters, metafile, sourceRoot)
    const text = outputFiles?.find(({ path }) => path.endsWith('.js'))?.text ?? ''
    const nodeUses = await findNodeUses(parameters, metafile)
    const bundle = new TextEncoder().encode(`${nodeUses.length > 0 ? useNode : ''}${withoutPaths(text, metafile)}`)
    assertSize(parameters, bundle, metafile)
    return { bundle, methods: handlers.methods, warnings: warnings.map(formatMessage), nodeUses }
  } catch (error) {
    if (!isBuildFailure(error)) throw error
    throw await explainFailure({ directory, name: parameters.name, file }, error)
  }
}

/** `names` is undefined for a CommonJS file, whose exports nobody can list without running it. */
type Handlers = { names: string[] | undefined; methods: FunctionMethod[] }

async function readExports({ directory, name, file }: Failing): Promise<Handlers> {
  const list = async (policy: 'without-packages' | 'lenient') => {
    const options = { ...esbuildOptions(directory, importPolicy(policy)), entryPoints: [file] }
    const { metafile } = await build({ ...options, format: 'esm' })
    const names = Object.values(metafile.outputs).flatMap((output) => output.exports)
    return { names: names.filter(isHandlerName), format: metafile.inputs[file]?.format }
  }
  let { names, format } = await list('without-packages')
  if (format === 'cjs') return { names: undefined, methods: [...functionMethods] }
  // A handler may come out of a package by `export *`, which only the package itself can tell.
  if (names.length === 0) names = (await list('lenient')).names
  if (names.length === 0) {
    throw new PeerHostError('build_failed', `${file} exports no handler.`, {
      details: [`Function: ${name}`],
      hint: 'Export a default function, an object with `fetch`, a function named tool, or functions named GET, POST, …',
    })
  }
  return { names, methods: functionMethods.filter((method) => answers(names, method)) }
}

function answers(names: readonly string[], method: FunctionMethod): boolean {
  if (names.includes('default')) return true
  return names.includes('tool') ? method === 'POST' || method === 'OPTIONS' : names.includes(method)
}

function isHandlerName(name: string): boolean {
  return name === 'default' || name === 'tool' || (functionMethods as readonly string[]).includes(name)
}

async function buildScript(parameters: Failing, names: readonly string[] | undefined) {
  const { directory, file } = parameters
  // Only the handlers: a changed `config` must not change the code that runs.
  const contents = `export { ${[...(names ?? [])].sort().join(', ')} } from ${JSON.stringify(`./${file}`)}`
  const entry = names
    ? { stdin: { contents, resolveDir: directory, sourcefile: 'peerhost-entry.js' } }
    : { entryPoints: [file] }
  const run = (policy: 'strict' | 'lenient') =>
    build({ ...esbuildOptions(directory, importPolicy(policy)), ...entry, format: 'cjs' })
  try {
    return await run('strict')
  } catch (error) {
    if (!isBuildFailure(error) || !isOnlyForbidden(error)) throw error
    // Unused code may name a forbidden module; only what stays in the bundle counts.
    const result = await run('lenient')
    const asked = new Set(error.errors.map(({ text }) => builtinName(unresolved(text) ?? '')))
    const left = leftOutside(result).filter((path) => asked.has(builtinName(path)))
    if (left.length > 0) throw forbiddenImport(parameters, result.metafile, left)
    return result
  }
}

function isOnlyForbidden({ errors }: BuildFailure): boolean {
  return errors.every(({ text }) => builtinName(unresolved(text) ?? '') !== undefined)
}

function leftOutside({ metafile }: BuildResult<{ metafile: true }>): string[] {
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports)
  return [...new Set(imports.filter(({ external, path }) => external && !isAllowedBuiltin(path)).map((i) => i.path))]
}

/** A bundle is public: what lies elsewhere on this machine must not get into it by a path or a link. */
function assertInside({ directory, name, file }: Failing, metafile: Metafile, sourceRoot: string): void {
  const outside = Object.keys(metafile.inputs).filter((input) => {
    if (isVirtual(input)) return false
    const path = resolve(directory, input)
    const beforeModules = path.split(`${sep}node_modules${sep}`)[0] ?? path
    const isModule = beforeModules !== path && isWithin(directory, beforeModules)
    return !isModule && !isWithin(path, sourceRoot)
  })
  if (outside.length === 0) return
  throw new PeerHostError('build_failed', `The function “${name}” reaches outside of the project.`, {
    details: outside.map((input) => (importChain(metafile, file, input) ?? [file, input]).join(' → ')),
    hint: `Files may come from ${sourceRoot} and from node_modules.`,
  })
}

function isVirtual(input: string): boolean {
  return input === 'peerhost-entry.js' || input === '<stdin>' || /^(global|\(disabled\)|data):/.test(input)
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : join(folder, sep))
}

/**
 * esbuild names the wrapper of a CommonJS module after its path. Where `node_modules` lies, and which package manager
 * laid it out, must not change the bytes: the name begins at the package.
 */
function withoutPaths(text: string, metafile: Metafile): string {
  let result = text
  for (const input of Object.keys(metafile.inputs)) {
    if (packageOf(input) === undefined) continue
    const stable = input.slice(input.lastIndexOf('node_modules/'))
    if (stable !== input) result = result.replaceAll(`({${JSON.stringify(input)}(`, `({${JSON.stringify(stable)}(`)
  }
  return result
}

function assertSize({ name }: Failing, bundle: Uint8Array, metafile: Metafile): void {
  if (bundle.length <= LIMITS.bundleBytes) return
  const bytesBySource = new Map<string, number>()
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      if (isVirtual(input)) continue
      const source = packageOf(input) ?? input
      bytesBySource.set(source, (bytesBySource.get(source) ?? 0) + bytesInOutput)
    }
  }
  const largest = [...bytesBySource].sort(([, a], [, b]) => b - a).slice(0, 10)
  throw new PeerHostError(
    'bundle_too_large',
    `The bundle of “${name}” has ${bundle.length} bytes, the limit is ${LIMITS.bundleBytes}.`,
    {
      details: largest.map(([source, bytes]) => `${source}: ${bytes} bytes`),
      hint: 'Leave out the largest, import only the part of it that is used, or split the function.',
    },
  )
}
