import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { FORMULAS } from './formulas.ts'

/**
 * Finds what protects a contract and makes each piece of it removable at run time: every mutant of a file is compiled
 * into it once, and number n is on when `block.coinbase` is n. So one compilation serves hundreds of mutants.
 */
export type Mutant = {
  id: number
  file: string
  line: number
  kind: 'require' | 'call' | 'guard' | 'operand' | 'boundary' | 'modifier' | 'formula'
  text: string
}

type Node = { nodeType: string; src: string } & { [key: string]: unknown }
type Edit = { at: number; text: string; order: number }

/** The switch that mutated sources ask. A pure function must be able to ask it too. */
export const SWITCH_SOURCE = `// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

library Mutant {
    function isOn(uint256 id) internal pure returns (bool) {
        return _asPure(_isOn)(id);
    }

    function _isOn(uint256 id) private view returns (bool) {
        return uint160(address(block.coinbase)) == id;
    }

    function _asPure(
        function(uint256) internal view returns (bool) viewing
    ) private pure returns (function(uint256) internal pure returns (bool) asPure) {
        assembly {
            asPure := viewing
        }
    }
}
`

const swapped = new Map([
  ['<', '<='],
  ['<=', '<'],
  ['>', '>='],
  ['>=', '>'],
])

type Mutated = { source: string; mutants: Mutant[] }

/** One file under the knife. */
type Bench = { file: string; firstId: number; bytes: Buffer; mutants: Mutant[]; edits: Edit[] }

/** A source with all its mutants in it, numbered from `firstId`. `switchPath` is where `SWITCH_SOURCE` is. */
export function mutate(contracts: string, file: string, firstId: number, switchPath: string): Mutated {
  const bench: Bench = { file, firstId, bytes: readFileSync(join(contracts, file)), mutants: [], edits: [] }
  visit(bench, parse(contracts, file))
  return finish(bench, switchPath)
}

/** The same with the defences that are no guards, see `FORMULAS`. */
export function mutateFormulas(contracts: string, file: string, firstId: number, switchPath: string): Mutated {
  const bench: Bench = { file, firstId, bytes: readFileSync(join(contracts, file)), mutants: [], edits: [] }
  const source = bench.bytes.toString()
  for (const { text, becomes, says } of FORMULAS.filter((formula) => formula.file === file)) {
    const at = source.indexOf(text)
    if (at < 0 || source.indexOf(text, at + 1) >= 0) throw new Error(`Not once in ${file}: ${text}`)
    const start = Buffer.byteLength(source.slice(0, at))
    const node = { nodeType: 'Formula', src: `${start}:${Buffer.byteLength(text)}` }
    const id = addMutant(bench, node, 'formula', says)
    const brackets = text.endsWith('}')
      ? [`if (Mutant.isOn(${id})) { ${becomes} } else { `, ' }']
      : [`(Mutant.isOn(${id}) ? (${becomes}) : `, ')']
    wrap(bench, node, brackets, () => {})
  }
  return finish(bench, switchPath)
}

function finish({ file, bytes, mutants, edits }: Bench, switchPath: string): Mutated {
  if (mutants.length === 0) return { source: bytes.toString(), mutants }
  const importPath = relative(dirname(file), switchPath).replace(/^(?!\.)/, './')
  const source = apply(bytes, edits).replace(/^pragma .*$/m, `$&\nimport {Mutant} from "${importPath}";`)
  return { source, mutants }
}

function visit(bench: Bench, node: Node): void {
  const type = node.nodeType
  if (type === 'BinaryOperation') visitBinary(bench, node)
  else if (type === 'FunctionDefinition') visitFunction(bench, node)
  else if (type === 'IfStatement') visitIf(bench, node)
  else if (type === 'ExpressionStatement' && isCheck(node.expression as Node)) {
    const id = addMutant(bench, node, 'call', textOf(bench, node))
    wrap(bench, node, [`if (!Mutant.isOn(${id})) `, ''], () => visitChildren(bench, node))
  } else if (type === 'FunctionCall' && (node.expression as Node).name === 'require') {
    const [condition, ...rest] = node.arguments as Node[]
    if (condition) visitCondition(bench, condition, true, 'require')
    for (const argument of rest) visit(bench, argument)
  } else if (type === 'ForStatement' || type === 'WhileStatement') visit(bench, node.body as Node)
  else visitChildren(bench, node)
}

function visitChildren(bench: Bench, node: Node): void {
  for (const child of childrenOf(node)) visit(bench, child)
}

function visitIf(bench: Bench, node: Node): void {
  const condition = node.condition as Node
  if (leaves(node.trueBody as Node) && !node.falseBody) visitCondition(bench, condition, false, 'guard')
  else visit(bench, condition)
  visit(bench, node.trueBody as Node)
  if (node.falseBody) visit(bench, node.falseBody as Node)
}

/** `neutral` is what the condition becomes: as if it were not asked. */
function visitCondition(bench: Bench, node: Node, neutral: boolean, kind: Mutant['kind']): void {
  const id = addMutant(bench, node, kind, textOf(bench, node))
  const brackets = neutral ? [`(Mutant.isOn(${id}) || (`, '))'] : [`(!Mutant.isOn(${id}) && (`, '))']
  wrap(bench, node, brackets, () => visit(bench, node))
}

function visitBinary(bench: Bench, node: Node): void {
  const operator = node.operator as string
  const [left, right] = [node.leftExpression as Node, node.rightExpression as Node]
  if (operator === '&&' || operator === '||') {
    for (const operand of [left, right]) {
      if (operand.nodeType === 'BinaryOperation' && operand.operator === operator) visitBinary(bench, operand)
      else visitCondition(bench, operand, operator === '&&', 'operand')
    }
    return
  }
  const other = swapped.get(operator)
  if (other === undefined) {
    visitChildren(bench, node)
    return
  }
  const id = addMutant(bench, node, 'boundary', `${textOf(bench, node)} → ${other}`)
  const mutated = `${textOf(bench, left)} ${other} ${textOf(bench, right)}`
  wrap(bench, node, [`(Mutant.isOn(${id}) ? (${mutated}) : (`, '))'], () => visitChildren(bench, node))
}

function visitFunction(bench: Bench, node: Node): void {
  const modifiers = (node.modifiers as Node[] | undefined) ?? []
  const body = node.body as Node | undefined
  if (!body) return
  if (node.kind === 'function' && modifiers.length > 0) makeModifiersRemovable(bench, node, modifiers, body)
  visit(bench, body)
}

/** The function becomes a chain of steps, one for each modifier, that goes by it when its mutant is on. */
function makeModifiersRemovable(bench: Bench, node: Node, modifiers: Node[], body: Node): void {
  const parameters = (node.parameters as Node).parameters as Node[]
  const parameterText = textOf(bench, node.parameters as Node).replace(/^\(|\)$/g, '')
  const returned = node.returnParameters as Node
  const returns = (returned.parameters as Node[]).length > 0 ? `returns ${textOf(bench, returned)}` : ''
  const names = parameters.map((parameter) => parameter.name as string).join(', ')
  const mutability = node.stateMutability === 'nonpayable' ? '' : (node.stateMutability as string)
  const step = (index: number) => `_mutantStep${rangeOf(node).start}_${index}`
  const call = (name: string) => (returns ? `return ${name}(${names});` : `${name}(${names});`)
  const define = (name: string, modifier: string, code: string) =>
    ` function ${name}(${parameterText}) private ${mutability} ${modifier} ${returns} ${code}`
  const definitions = modifiers.flatMap((modifier, index) => {
    const id = addMutant(bench, modifier, 'modifier', textOf(bench, modifier))
    wrap(bench, modifier, ['/*', '*/'], () => {})
    const choice = `{ if (Mutant.isOn(${id})) { ${call(step(index + 1))} } else { ${call(`${step(index)}_on`)} } }`
    const guarded = define(`${step(index)}_on`, textOf(bench, modifier), `{ ${call(step(index + 1))} }`)
    return [define(step(index), '', choice), guarded]
  })
  const text = `{ ${call(step(0))} }${definitions.join('')}${define(step(modifiers.length), '', '')}`
  bench.edits.push({ at: rangeOf(body).start, text, order: bench.edits.length })
}

function addMutant(bench: Bench, node: Node, kind: Mutant['kind'], text: string): number {
  const id = bench.firstId + bench.mutants.length
  const line = bench.bytes.subarray(0, rangeOf(node).start).toString().split('\n').length
  bench.mutants.push({ id, file: bench.file, line, kind, text: text.replace(/\s+/g, ' ').trim() })
  return id
}

/** Brackets of outer expressions stand outside of those of inner ones. */
function wrap(bench: Bench, node: Node, [before = '', after = '']: string[], inside: () => void): void {
  const { start, end } = rangeOf(node)
  bench.edits.push({ at: start, text: before, order: bench.edits.length })
  inside()
  bench.edits.push({ at: end, text: after, order: bench.edits.length })
}

function rangeOf(node: Node): { start: number; end: number } {
  const [start = 0, length = 0] = node.src.split(':').map(Number)
  return { start, end: start + length }
}

function textOf(bench: Bench, node: Node): string {
  const { start, end } = rangeOf(node)
  return bench.bytes.subarray(start, end).toString()
}

/** A call of a function of our own that reverts or not, and says nothing else. */
function isCheck(node: Node): boolean {
  if (node.nodeType !== 'FunctionCall') return false
  const { name, memberName } = node.expression as Node
  return /^(_(require|check|only|refuse|revert)|(require|check)[A-Z])/.test(String(name ?? memberName))
}

/** A body that ends what it stands in: what makes an `if` a guard. */
function leaves(body: Node): boolean {
  const statements = body.nodeType === 'Block' ? (body.statements as Node[]) : [body]
  const last = statements.at(-1)?.nodeType
  return last === 'Return' || last === 'RevertStatement' || last === 'Continue'
}

function childrenOf(node: Node): Node[] {
  return Object.values(node)
    .flat()
    .filter((value): value is Node => typeof value === 'object' && value !== null && 'nodeType' in value)
    .sort((a, b) => Number.parseInt(a.src, 10) - Number.parseInt(b.src, 10))
}

function apply(bytes: Buffer, edits: Edit[]): string {
  const sorted = [...edits].sort((a, b) => a.at - b.at || a.order - b.order)
  const parts: string[] = []
  let position = 0
  for (const { at, text } of sorted) {
    parts.push(bytes.subarray(position, at).toString(), text)
    position = at
  }
  return parts.join('') + bytes.subarray(position).toString()
}

/** The syntax tree of one file. Imports are looked at by nobody, so they are cut to nothing. */
function parse(contracts: string, file: string): Node {
  const content = readFileSync(join(contracts, file), 'utf8')
  const input = {
    language: 'Solidity',
    sources: {
      [file]: { content: content.replace(/^import [^;]*;/gm, (text) => ' '.repeat(Buffer.byteLength(text))) },
    },
    settings: { stopAfter: 'parsing', outputSelection: { '*': { '': ['ast'] } } },
  }
  const output = execFileSync(process.execPath, [join(contracts, 'bin/solc.cjs'), '--standard-json'], {
    cwd: contracts,
    input: JSON.stringify(input),
    maxBuffer: 1 << 28,
  })
  const parsed = JSON.parse(output.toString()) as { sources?: { [name: string]: { ast: Node } }; errors?: unknown }
  const tree = parsed.sources?.[file]?.ast
  if (!tree) throw new Error(`solc could not parse ${file}: ${JSON.stringify(parsed.errors)}`)
  return tree
}
