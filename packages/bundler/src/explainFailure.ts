import { PeerHostError } from '@peerhost/protocol'
import { type BuildFailure, type BuildResult, build, type Message, type Metafile } from 'esbuild'
import { builtinName } from './builtins.ts'
import { esbuildOptions, importPolicy } from './esbuildOptions.ts'
import { importChain, importersOf } from './importChain.ts'

/** Which function failed, with the project's real path. */
export type Failing = { directory: string; name: string; file: string }

/** True for what esbuild throws when the source is wrong, false for a fault of esbuild itself. */
export function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors)
}

/** `build_failed` that says for each mistake where it is, how the function comes to it and what to do. */
export async function explainFailure(failing: Failing, failure: BuildFailure): Promise<PeerHostError> {
  const graph = failure.errors.some(({ text }) => unresolved(text)) ? await lenientGraph(failing) : undefined
  const details = failure.errors.flatMap((message) => explain(failing, message, graph))
  const hint = failure.errors.map(({ text }) => hintFor(text)).find((text) => text !== undefined)
  return new PeerHostError('build_failed', `The function “${failing.name}” cannot be built.`, {
    details: [...new Set(details)],
    ...(hint ? { hint } : {}),
    cause: failure,
  })
}

/** One line, as editors understand it. */
export function formatMessage({ text, location }: Message): string {
  return location ? `${location.file}:${location.line}:${location.column + 1} ${text}` : text
}

/** `build_failed` for a Node module that would be in the bundle although no function may have it. */
export function forbiddenImport(failing: Failing, metafile: Metafile, specifiers: readonly string[]): PeerHostError {
  const details = specifiers.flatMap((specifier) => {
    const name = builtinName(specifier) ?? specifier
    return importersOf(metafile, specifier).map((importer) => {
      const chain = importChain(metafile, failing.file, importer) ?? [importer]
      return `node:${name} is not available to functions: ${[...chain, `node:${name}`].join(' → ')}`
    })
  })
  return new PeerHostError('build_failed', `The function “${failing.name}” needs what no function may have.`, {
    details: [...new Set(details)],
    hint: 'Functions have no files, no network and no processes. Use another package, or the part of it that needs none.',
  })
}

async function lenientGraph({ directory, file }: Failing): Promise<Metafile | undefined> {
  const options = { ...esbuildOptions(directory, importPolicy('lenient')), entryPoints: [file] }
  try {
    return (await build({ ...options, format: 'esm' })).metafile
  } catch {
    // Another mistake hides the way to this one; the place alone must do.
    return undefined
  }
}

/** The name in esbuild's complaint about an import that leads nowhere. */
export function unresolved(text: string): string | undefined {
  return /^Could not resolve "(.+)"$/.exec(text)?.[1]
}

function explain(failing: Failing, message: Message, graph: BuildResult['metafile'] | undefined): string[] {
  const specifier = unresolved(message.text)
  if (specifier === undefined) {
    return [message.text.startsWith('Top-level await') ? topLevelAwait(message) : formatMessage(message)]
  }
  const importer = message.location?.file
  const name = builtinName(specifier)
  const what = name === undefined ? `cannot find “${specifier}”` : `node:${name} is not available to functions`
  const chain = graph && importer ? importChain(graph, failing.file, importer) : undefined
  const way = [...(chain ?? (importer ? [importer] : [])), name === undefined ? specifier : `node:${name}`].join(' → ')
  return [formatMessage({ ...message, text: `${what}: ${way}` })]
}

function topLevelAwait(message: Message): string {
  const text = 'await stands outside a function: a bundle is evaluated at once and may not wait.'
  return formatMessage({ ...message, text })
}

function hintFor(text: string): string | undefined {
  const specifier = unresolved(text)
  if (text.startsWith('Top-level await')) return 'Move it into the handler, or keep the promise and await that there.'
  if (specifier === undefined) return undefined
  if (builtinName(specifier)) {
    return 'Functions have no files, no network and no processes. Use another package, or the part of it that needs none.'
  }
  return specifier.startsWith('.') ? 'Correct the path.' : 'Install the package, or correct its name.'
}
