import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { getNodeValue, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import { type ProjectConfig, projectConfigSchema } from './configSchema.ts'
import { checkLocated, type Located, type Position, type Problem, pathKey } from './located.ts'

/** Name of the project file. */
const configFile = 'peerhost.jsonc'

export type ReadProjectConfig = { config: ProjectConfig; located: Located | undefined; problems: Problem[] }

/** Reads `peerhost.jsonc` of a folder, when there is one. Never runs anything; finds every problem before it returns. */
export async function readProjectConfig(directory: string): Promise<ReadProjectConfig> {
  let text: string
  try {
    text = await readFile(join(directory, configFile), 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { config: {}, located: undefined, problems: [] }
    throw error
  }
  const { located, problems } = parseProjectConfig(text)
  if (!located) return { config: {}, located, problems }
  const checked = checkLocated(projectConfigSchema, located)
  return { config: checked.value ?? {}, located, problems: [...problems, ...checked.problems] }
}

function parseProjectConfig(text: string): { located: Located | undefined; problems: Problem[] } {
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { allowTrailingComma: true, allowEmptyContent: false })
  const positionAt = positionsIn(text)
  const problems: Problem[] = errors.map(({ error, offset }) => ({
    file: configFile,
    position: positionAt(offset),
    message: `is not JSON here: ${printParseErrorCode(error)}.`,
  }))
  // What follows a syntax error is a guess: reporting on it would hide the one mistake behind many.
  if (!root || problems.length > 0) return { located: undefined, problems }
  const positions = new Map<string, Position>()
  walk(root, [], (node, path) => {
    const position = positionAt(node.offset)
    if (node.type === 'property' && positions.has(pathKey(path))) {
      problems.push({ file: configFile, position, message: `${path.join('.')}: stands there twice.` })
    }
    if (!positions.has(pathKey(path))) positions.set(pathKey(path), position)
  })
  return { located: { file: configFile, value: getNodeValue(root), positions }, problems }
}

function walk(node: Node, path: (string | number)[], visit: (node: Node, path: (string | number)[]) => void): void {
  if (node.type === 'property') {
    const [key, value] = node.children ?? []
    const inner = [...path, String(key?.value)]
    visit(node, inner)
    if (value?.children) for (const child of value.children) walkInto(value, child, inner, visit)
    return
  }
  visit(node, path)
  for (const child of node.children ?? []) walkInto(node, child, path, visit)
}

function walkInto(
  parent: Node,
  child: Node,
  path: (string | number)[],
  visit: (node: Node, path: (string | number)[]) => void,
): void {
  walk(child, parent.type === 'array' ? [...path, (parent.children ?? []).indexOf(child)] : path, visit)
}

function positionsIn(text: string): (offset: number) => Position {
  return (offset) => {
    const before = text.slice(0, offset).split('\n')
    return { line: before.length, column: (before.at(-1) ?? '').length + 1 }
  }
}
