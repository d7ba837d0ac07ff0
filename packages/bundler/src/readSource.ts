import { SourceMap } from 'node:module'
import { type Expression, type Node, type Program, parse, type SpreadElement } from 'acorn'
import { type Loader, transform } from 'esbuild'
import { type Located, type Position, type Problem, pathKey } from './located.ts'

/** What a function's file says about itself, read without running it. */
export type SourceFacts = { config: Located | undefined; problems: Problem[] }

const loaders: Record<string, Loader> = { ts: 'ts', mts: 'ts', tsx: 'tsx', js: 'js', mjs: 'js' }
const asLiteral = 'write it as `export const config = { … }` with literal values only.'

/**
 * Reads `export const config = {…}`: types are stripped by esbuild, the rest is parsed, and only literals are taken over.
 * A file that cannot be parsed has no facts; bundling it says why.
 */
export async function readSource(file: string, text: string): Promise<SourceFacts> {
  const parsed = await parseModule(file, text)
  if (!parsed) return { config: undefined, problems: [] }
  const problems: Problem[] = []
  const report = (node: Node, message: string) =>
    problems.push({ file, position: parsed.positionOf(node.start), message })
  let config: Located | undefined
  for (const statement of parsed.program.body) {
    if (statement.type === 'ExportDefaultDeclaration') checkDefault(statement.declaration, report)
    if (statement.type !== 'ExportNamedDeclaration') continue
    const { declaration, specifiers } = statement
    for (const { exported } of specifiers) {
      const name = exported.type === 'Identifier' ? exported.name : exported.value
      if (name === 'config') report(statement, `config: ${asLiteral}`)
    }
    if (declaration?.type === 'VariableDeclaration') {
      for (const { id, init } of declaration.declarations) {
        if (id.type !== 'Identifier' || id.name !== 'config') continue
        if (declaration.kind !== 'const' || init?.type !== 'ObjectExpression') report(statement, `config: ${asLiteral}`)
        else config = readLiteral(file, init, parsed.positionOf, report)
      }
    } else if (declaration?.id?.name === 'config') report(statement, `config: ${asLiteral}`)
  }
  return { config, problems }
}

async function parseModule(file: string, text: string) {
  try {
    const { code, map } = await transform(text, {
      loader: loaders[file.slice(file.lastIndexOf('.') + 1)] ?? 'js',
      target: 'es2024',
      sourcemap: 'external',
      sourcefile: file,
      logLevel: 'silent',
      tsconfigRaw: {},
    })
    const sourceMap = new SourceMap(JSON.parse(map))
    const program: Program = parse(code, { ecmaVersion: 'latest', sourceType: 'module' })
    const positionOf = (offset: number): Position | undefined => {
      const before = code.slice(0, offset).split('\n')
      const entry = sourceMap.findEntry(before.length - 1, (before.at(-1) ?? '').length)
      return 'originalLine' in entry ? { line: entry.originalLine + 1, column: entry.originalColumn + 1 } : undefined
    }
    return { program, positionOf }
  } catch {
    return undefined
  }
}

/** Catches what can be seen without running the file; the runtime answers `bad-module` for the rest. */
function checkDefault(node: Node, report: (node: Node, message: string) => void): void {
  if (node.type === 'Literal' || node.type === 'TemplateLiteral' || node.type === 'ArrayExpression') {
    report(node, 'the default export is no handler: export a function or an object with `fetch`.')
  }
  if (node.type !== 'ObjectExpression') return
  const { properties } = node as Extract<Expression, { type: 'ObjectExpression' }>
  const hasFetch = properties.some(
    (property) => property.type === 'SpreadElement' || property.computed || keyOf(property.key) === 'fetch',
  )
  if (!hasFetch) report(node, 'the default export is an object without `fetch`: it handles no request.')
}

function readLiteral(
  file: string,
  root: Expression,
  positionOf: (offset: number) => Position | undefined,
  report: (node: Node, message: string) => void,
): Located {
  const positions = new Map<string, Position>()
  const mark = (node: Node, path: readonly string[]) => {
    const position = positionOf(node.start)
    if (position) positions.set(pathKey(path), position)
  }
  const refuse = (node: Node, path: readonly string[]): null => {
    report(node, `${['config', ...path].join('.')}: only literal values may stand here, ${asLiteral}`)
    return null
  }
  const read = (node: Expression | SpreadElement | null, path: readonly string[]): unknown => {
    if (node === null) return refuse(root, path)
    if (node.type === 'TemplateLiteral' && node.expressions.length === 0) return node.quasis[0]?.value.cooked ?? ''
    if (node.type === 'UnaryExpression' && node.operator === '-') {
      const value = read(node.argument, path)
      return typeof value === 'number' ? -value : refuse(node, path)
    }
    if (node.type === 'BinaryExpression' && node.operator === '+' && node.left.type !== 'PrivateIdentifier') {
      const [left, right] = [read(node.left, path), read(node.right, path)]
      // Long descriptions are written in pieces.
      if (typeof left === 'string' && typeof right === 'string') return left + right
      return left === null || right === null ? null : refuse(node, path)
    }
    if (node.type === 'ArrayExpression') return node.elements.map((item, index) => read(item, [...path, String(index)]))
    if (node.type === 'ObjectExpression') {
      const entries = node.properties.flatMap((property): [string, unknown][] => {
        const key = property.type === 'Property' && !property.computed ? keyOf(property.key) : undefined
        if (property.type !== 'Property' || property.kind !== 'init' || property.method || property.shorthand) {
          refuse(property, path)
          return []
        }
        if (key === undefined || key === '__proto__') {
          refuse(property, path)
          return []
        }
        mark(property, [...path, key])
        return [[key, read(property.value, [...path, key])]]
      })
      return Object.fromEntries(entries)
    }
    if (node.type !== 'Literal') return refuse(node, path)
    const plain = node.value === null || ['string', 'number', 'boolean'].includes(typeof node.value)
    return plain && !node.regex && !node.bigint ? node.value : refuse(node, path)
  }
  mark(root, [])
  return { file, value: read(root, []), positions }
}

function keyOf(key: Node): string | undefined {
  const node = key as Expression
  if (node.type === 'Identifier') return node.name
  if (node.type === 'Literal' && (typeof node.value === 'string' || typeof node.value === 'number')) {
    return String(node.value)
  }
  return undefined
}
