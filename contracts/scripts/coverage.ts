import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { forgeProgram } from './forgeProgram.ts'

/**
 * Lines and branches of `src/` that the tests reach. `node contracts/scripts/coverage.ts [--read]` runs forge's coverage on
 * a copy, which compiles everything once more, see bin/solc.cjs; `--read` looks at what it wrote the last time. The exit
 * code is 1 below the threshold. docs/contracts/coverage.md explains what is not reached.
 */
const threshold = 98
const contracts = fileURLToPath(new URL('..', import.meta.url))
const nodeModules = fileURLToPath(new URL('../../node_modules', import.meta.url))
const copy = join(tmpdir(), 'peerhost-coverage')
const report = join(copy, 'lcov.info')
/** Stands in for USDC on local chains; it is deployed nowhere else. */
const ignored = /^src\/token\//
/** Here the code is the newer pipeline's, whose source maps know no branches of `require`. */
const newerPipeline = ['src/lane', 'src/court']
/** Invariants take long and reach nothing new; gas and the deposit's address depend on how the code was compiled. */
const leftOut = ['--no-match-path', 'test/invariants/**', '--no-match-test', 'test_gas_|test_depositAddress']

type FileCoverage = { file: string; lines: Map<number, boolean>; branches: Map<string, boolean> }

/** Reads lcov: `DA:<line>,<hits>` and `BRDA:<line>,<block>,<branch>,<hits>`. */
function readReport(text: string): FileCoverage[] {
  return text
    .split('end_of_record')
    .map((record) => {
      const file = /^SF:(.*)$/m.exec(record)?.[1]?.replace(/^.*?(?=src\/|test\/)/, '') ?? ''
      const lines = [...record.matchAll(/^DA:(\d+),(\d+)/gm)].map(
        ([, line, hits]) => [Number(line), hits !== '0'] as const,
      )
      const branches = [...record.matchAll(/^BRDA:(\d+),(\d+),(\d+),(\S+)/gm)].map(
        ([, line, block, branch, hits]) => [`${line}:${block}:${branch}`, hits !== '0' && hits !== '-'] as const,
      )
      return { file, lines: new Map(lines), branches: new Map(branches) }
    })
    .filter(({ file }) => file.startsWith('src/') && !ignored.test(file))
}

/** `require(a, E(b))` written out as `if (!(a)) revert E(b)`, on the same lines. */
function writeOutRequires(source: string): string {
  const start = source.search(/\brequire\(/)
  if (start === -1) return source
  let [depth, comma, end] = [0, -1, start + 'require'.length]
  do {
    if (source[end] === '(') depth++
    else if (source[end] === ')') depth--
    else if (source[end] === ',' && depth === 1 && comma === -1) comma = end
    end++
  } while (depth > 0)
  const condition = source.slice(start + 'require('.length, comma)
  const written = `if (!(${condition})) revert ${source.slice(comma + 1, end - 1)}`
  return source.slice(0, start) + written + writeOutRequires(source.slice(end))
}

function makeCopy(): string {
  const inside = join(copy, 'contracts')
  mkdirSync(inside, { recursive: true })
  for (const name of ['src', 'test', 'bin', 'foundry.toml']) {
    rmSync(join(inside, name), { recursive: true, force: true })
    cpSync(join(contracts, name), join(inside, name), { recursive: true })
  }
  cpSync(join(contracts, '../vectors'), join(copy, 'vectors'), { recursive: true })
  if (!existsSync(join(inside, 'node_modules'))) symlinkSync(nodeModules, join(inside, 'node_modules'))
  for (const folder of newerPipeline) {
    for (const name of readdirSync(join(inside, folder))) {
      const file = join(inside, folder, name)
      writeFileSync(file, writeOutRequires(readFileSync(file, 'utf8')))
    }
  }
  return inside
}

function measure(): void {
  execFileSync(forgeProgram(), ['coverage', '--report', 'lcov', '--report-file', report, ...leftOut], {
    cwd: makeCopy(),
    env: {
      ...process.env,
      FOUNDRY_DENY: 'never',
      FOUNDRY_CODE_SIZE_LIMIT: '1000000',
      FOUNDRY_FUZZ_RUNS: '32',
      PEERHOST_SOLC_FOR: 'coverage',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
}

function share(all: readonly boolean[]): number {
  return all.length === 0 ? 100 : (100 * all.filter(Boolean).length) / all.length
}

function main(argv: readonly string[]): number {
  const { values } = parseArgs({ args: [...argv], options: { read: { type: 'boolean', default: false } } })
  if (!values.read) measure()
  const files = readReport(readFileSync(report, 'utf8'))
  for (const { file, lines, branches } of files) {
    const missed = [...lines].filter(([, isHit]) => !isHit).map(([line]) => line)
    const missedBranches = [...branches].filter(([, isHit]) => !isHit).map(([branch]) => branch)
    const figures = `${share([...lines.values()]).toFixed(1)} % lines, ${share([...branches.values()]).toFixed(1)} % branches`
    process.stdout.write(`${file}: ${figures}\n`)
    if (missed.length > 0) process.stdout.write(`  lines     ${missed.join(' ')}\n`)
    if (missedBranches.length > 0) process.stdout.write(`  branches  ${missedBranches.join(' ')}\n`)
  }
  const lines = share(files.flatMap((file) => [...file.lines.values()]))
  const branches = share(files.flatMap((file) => [...file.branches.values()]))
  process.stdout.write(
    `${JSON.stringify({ lines: Number(lines.toFixed(2)), branches: Number(branches.toFixed(2)) })}\n`,
  )
  return files.length > 0 && lines >= threshold && branches >= threshold ? 0 : 1
}

process.exitCode = main(process.argv.slice(2))
