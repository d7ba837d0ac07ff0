import { existsSync } from 'node:fs'
import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { assertProjectName, isPeerHostError, PeerHostError } from '@peerhost/protocol'
import { type BuiltFunction, buildFunction } from './buildFunction.ts'
import { checkSchemas, checkSourceSettings, checkTogether } from './checkSettings.ts'
import { type FunctionSettings, functionSettingsSchema, type ProjectConfig } from './configSchema.ts'
import { type FoundFunction, findFunctions } from './findFunctions.ts'
import { checkLocated, type Located, type Problem, problemAt, throwProblems } from './located.ts'
import { defaultProjectName } from './projectName.ts'
import { readProjectConfig } from './readProjectConfig.ts'
import { readSource } from './readSource.ts'

/** What wins over `peerhost.jsonc`: flags of a command, choices in a dialog. */
export type ProjectOverrides = {
  /** Name of the project. */
  project?: string
  functionsDir?: string
  /** Settings by function name. */
  functions?: Readonly<Record<string, FunctionSettings>>
  /**
   * The outermost folder whose files may get into a bundle. Default: the repository or workspace around the project,
   * else the project. A builder of other people's code sets it to what it checked out.
   */
  sourceRoot?: string
}

export type BuildProjectParameters = { directory: string; overrides?: ProjectOverrides }

export type BuiltProject = {
  project: string
  /** Sorted by name. */
  functions: BuiltFunction[]
  /** What works but deserves a look, one line each. */
  warnings: string[]
}

/**
 * A folder of source → functions with bundles, CIDs, prices and schemas. The same source gives the same bytes in every
 * folder. Reads files only: runs no code, no install script, takes nothing from the environment.
 * Throws `config_invalid` with every problem and its place, `build_failed`, or `bundle_too_large`.
 */
export async function buildProject({ directory, overrides = {} }: BuildProjectParameters): Promise<BuiltProject> {
  const root = await projectRoot(directory)
  const { config, located, problems } = await readProjectConfig(root)
  // With a broken file the folder and the settings would be guesses.
  throwProblems(problems)
  const project = overrides.project ?? config.name ?? (await defaultProjectName(root))
  assertProjectName(project)
  const found = await findFunctions(root, overrides.functionsDir ?? config.functionsDir ?? 'functions')
  const settled = await settle(root, found.functions, config, located, overrides)
  throwProblems([...found.problems, ...settled.problems])
  const sourceRoot = await realpath(overrides.sourceRoot ?? (await enclosingRoot(root)))
  const results = await Promise.allSettled(
    found.functions.map((each) =>
      buildFunction({ ...each, directory: root, sourceRoot, settings: settled.settings.get(each.name) ?? {} }),
    ),
  )
  throwFailures(results)
  const done = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value)
  return {
    project,
    functions: done.map(({ built }) => built),
    warnings: [...new Set([...projectWarnings(root, done), ...done.flatMap(({ warnings }) => warnings)])],
  }
}

async function projectRoot(directory: string): Promise<string> {
  try {
    const root = await realpath(directory)
    if ((await stat(root)).isDirectory()) return root
  } catch (cause) {
    throw new PeerHostError('config_invalid', `There is no folder ${directory}.`, { cause })
  }
  throw new PeerHostError('config_invalid', `${directory} is not a folder.`)
}

type Settled = { settings: Map<string, FunctionSettings>; problems: Problem[] }

/** Source, then file, then overrides: the later wins, setting by setting. */
async function settle(
  root: string,
  functions: readonly FoundFunction[],
  config: ProjectConfig,
  located: Located | undefined,
  overrides: ProjectOverrides,
): Promise<Settled> {
  const forced = checkOverrides(overrides)
  const problems = [...forced.problems, ...checkFileSettings(functions, config, located)]
  const settings = new Map<string, FunctionSettings>()
  for (const { name, file } of functions) {
    const facts = await readSource(file, await readFile(join(root, file), 'utf8'))
    const source = facts.config ? checkSourceSettings(facts.config) : { settings: {}, problems: [] }
    problems.push(...facts.problems, ...(facts.problems.length === 0 ? source.problems : []))
    const merged = { ...source.settings, ...config.functions?.[name], ...forced.functions[name] }
    problems.push(...checkTogether(file, merged))
    settings.set(name, merged)
  }
  const unknown = Object.keys(forced.functions).filter((name) => !settings.has(name))
  problems.push(...unknown.map((name) => ({ file: 'overrides', message: `there is no function “${name}”.` })))
  return { settings, problems }
}

function checkOverrides({ functions = {} }: ProjectOverrides): {
  functions: Record<string, FunctionSettings>
  problems: Problem[]
} {
  const problems: Problem[] = []
  const checked = Object.entries(functions).map(([name, value]): [string, FunctionSettings] => {
    const located = { file: `overrides of ${name}`, value, positions: new Map() }
    const result = checkLocated(functionSettingsSchema, located)
    problems.push(...result.problems, ...checkSchemas(located, [], result.value ?? {}))
    return [name, result.value ?? {}]
  })
  return { functions: Object.fromEntries(checked), problems }
}

function checkFileSettings(
  functions: readonly FoundFunction[],
  config: ProjectConfig,
  located: Located | undefined,
): Problem[] {
  if (!located) return []
  const names = functions.map(({ name }) => name)
  return Object.entries(config.functions ?? {}).flatMap(([name, settings]) => {
    const path = ['functions', name]
    if (names.includes(name)) return checkSchemas(located, path, settings)
    return [problemAt(located, path, `there is no such function; there are: ${names.join(', ') || 'none'}.`)]
  })
}

/** The repository or workspace around a project: its other folders are the same person's code. */
async function enclosingRoot(root: string): Promise<string> {
  for (let folder = root; ; folder = dirname(folder)) {
    if (existsSync(join(folder, '.git')) || (await isWorkspaceRoot(folder))) return folder
    if (folder === dirname(folder)) return root
  }
}

async function isWorkspaceRoot(folder: string): Promise<boolean> {
  if (existsSync(join(folder, 'pnpm-workspace.yaml'))) return true
  try {
    return 'workspaces' in (JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as object)
  } catch {
    return false
  }
}

/** One failure is thrown as it is; several become one `build_failed` that holds them all. */
function throwFailures(results: readonly PromiseSettledResult<unknown>[]): void {
  const errors = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown)
  const surprise = errors.find((error) => !isPeerHostError(error))
  if (surprise !== undefined) throw surprise
  if (errors.length === 0) return
  if (errors.length === 1) throw errors[0]
  const known = errors.filter(isPeerHostError)
  const hint = known.find((error) => error.hint)?.hint
  throw new PeerHostError('build_failed', `${known.length} functions cannot be built.`, {
    details: known.flatMap(({ message, details }) => [message, ...details.map((line) => `  ${line}`)]),
    ...(hint ? { hint } : {}),
    cause: errors[0],
  })
}

function projectWarnings(root: string, done: readonly { built: BuiltFunction }[]): string[] {
  const silent = done.filter(({ built }) => built.price > 0n && built.metadata.description === '')
  return [
    ...silent.map(({ built }) => `${built.file} has a price but no description: agents cannot tell what it sells.`),
    ...(existsSync(join(root, 'package.json'))
      ? []
      : ['There is no package.json: folders around the project decide how its .js files are read.']),
  ]
}
