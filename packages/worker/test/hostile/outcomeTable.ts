import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { IsolationLevel } from '@peerhost/protocol'

/** What was seen of one program at one level. */
export type Observation = {
  readonly family: string
  readonly program: string
  readonly level: IsolationLevel
  readonly ending: string
}

const file = fileURLToPath(new URL('../../../../docs/threat-model.md', import.meta.url))
const markers = ['<!-- hostile programs: written by the run -->', '<!-- end of hostile programs -->'] as const

/** The table of a whole run: one line for each program, one column for each level. */
export function formatTable(observations: readonly Observation[], levels: readonly IsolationLevel[]): string {
  const rows = new Map<string, Map<IsolationLevel, string>>()
  for (const { family, program, level, ending } of observations) {
    const key = `${family} | ${program}`
    rows.set(key, (rows.get(key) ?? new Map()).set(level, ending))
  }
  const lines = [...rows].map(
    ([key, endings]) => `| ${key} | ${levels.map((one) => endings.get(one) ?? '–').join(' | ')} |`,
  )
  const columns = levels.map((level) => `\`${level}\``).join(' | ')
  return [`| family | a function that … | ${columns} |`, `|---|---|${'---|'.repeat(levels.length)}`, ...lines].join(
    '\n',
  )
}

/** The columns of the table that are about these levels. */
export function readTable(levels: readonly IsolationLevel[]): string {
  const text = readFileSync(file, 'utf8')
  const lines = text
    .slice(...placeIn(text))
    .trim()
    .split('\n')
  const names = cellsOf(lines[0] ?? '')
  const wanted = names.flatMap((name, column) =>
    column < 2 || levels.some((level) => name === `\`${level}\``) ? [column] : [],
  )
  const rows = lines.map((line, index) => {
    const cells = wanted.map((column) => cellsOf(line)[column] ?? '')
    return index === 1 ? `|${cells.join('|')}|` : `| ${cells.join(' | ')} |`
  })
  // A program that runs at other levels only has a row of its own.
  return rows.filter((row) => !/^(\| [^|]+ \| [^|]+ )(\| – )+\|$/.test(row)).join('\n')
}

function cellsOf(line: string): string[] {
  return line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim())
}

export function writeTable(table: string): void {
  const text = readFileSync(file, 'utf8')
  const [start, end] = placeIn(text)
  writeFileSync(file, `${text.slice(0, start)}\n${table}\n${text.slice(end)}`)
}

function placeIn(text: string): [number, number] {
  const [start, end] = [text.indexOf(markers[0]), text.indexOf(markers[1])]
  if (start < 0 || end < start) throw new Error(`The markers of the table are missing in ${file}.`)
  return [start + markers[0].length, end]
}
