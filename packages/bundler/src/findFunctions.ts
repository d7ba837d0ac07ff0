import { type Dirent, existsSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { assertFunctionName, isPeerHostError, LIMITS } from '@peerhost/protocol'
import type { Problem } from './located.ts'

/** One function and the file it comes from, relative to the project with forward slashes. */
export type FoundFunction = { name: string; file: string }

const extension = /\.(ts|tsx|mts|js|mjs)$/
const notAFunction = /\.(d|test|spec)\.(ts|tsx|mts|js|mjs)$/

/**
 * The functions of a folder: one file, one function; folders nest; `index` names its folder; what begins with `_` or `.`,
 * tests and type declarations are private. Sorted by name.
 */
export async function findFunctions(
  directory: string,
  functionsDir: string,
): Promise<{ functions: FoundFunction[]; problems: Problem[] }> {
  const folder = functionsDir.replace(/^\.\//, '').replace(/\/+$/, '')
  if (!existsSync(join(directory, folder))) {
    const message = 'is missing: put one file per function there, for example hello.ts.'
    return { functions: [], problems: [{ file: `${folder}/`, message }] }
  }
  const files = (await filesBelow(directory, folder)).filter((file) => extension.test(file) && !notAFunction.test(file))
  const byName = Map.groupBy(files, (file) => functionName(file.slice(folder.length + 1)))
  const problems = [...byName].flatMap(([name, all]) => problemsOf(name, all))
  if (files.length === 0) {
    problems.push({ file: `${folder}/`, message: 'holds no function: put one file per function there.' })
  }
  if (byName.size > LIMITS.functionsPerDeployment) {
    const message = `holds ${byName.size} functions, a deployment may have ${LIMITS.functionsPerDeployment}.`
    problems.push({ file: `${folder}/`, message })
  }
  const functions = [...byName].map(([name, [file = '']]) => ({ name, file }))
  return { functions: functions.sort((a, b) => (a.name < b.name ? -1 : 1)), problems }
}

function functionName(file: string): string {
  return file.replace(extension, '').replace(/\/index$/, '')
}

function problemsOf(name: string, files: readonly string[]): Problem[] {
  const [file = '', ...others] = files
  const problems: Problem[] = []
  if (others.length > 0) {
    const message = `and ${others.join(', ')} are all the function “${name}”: keep one of them.`
    problems.push({ file, message })
  }
  if (/[[\]]/.test(name)) {
    const message = 'has a name with brackets: a function gets the rest of the path itself, so leave that part out.'
    return [...problems, { file, message }]
  }
  try {
    assertFunctionName(name)
  } catch (error) {
    if (!isPeerHostError(error)) throw error
    const hint = `${error.hint} To keep a file private, begin its name with _.`
    problems.push({ file, message: `has a name that no URL can carry: ${error.message} ${hint}` })
  }
  return problems
}

async function filesBelow(directory: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(directory, folder), { withFileTypes: true })
  const nested = entries
    .filter(({ name }) => !/^[_.]/.test(name) && name !== 'node_modules')
    .map(async (entry) => {
      const path = `${folder}/${entry.name}`
      if (entry.isDirectory()) return filesBelow(directory, path)
      return (await isFile(directory, path, entry)) ? [path] : []
    })
  return (await Promise.all(nested)).flat().sort()
}

/** A link to a file counts, a link to a folder does not: it could lead back to where we came from. */
async function isFile(directory: string, path: string, entry: Dirent): Promise<boolean> {
  return entry.isFile() || (entry.isSymbolicLink() && (await stat(join(directory, path))).isFile())
}
