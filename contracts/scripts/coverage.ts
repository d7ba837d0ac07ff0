import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { forgeProgram } from './forgeProgram.ts'

/**
 * Lines and branches of `src/` that the tests reach. `node contracts/scripts/coverage.ts [--read]` runs forge's coverage,
 * which compiles everything once more, see bin/solc.cjs; `--read` looks at what it wrote the last time. The exit code is 1
 * below the threshold. docs/contracts/coverage.md explains what is not reached.
 */
const threshold = 98
const contracts = fileURLToPath(new URL('..', import.meta.url))
const report = `${contracts}out/lcov.info`
/** Stands in for USDC on local chains; it is deployed nowhere else. */
const ignored = /^src\/token\//

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

function share(all: readonly boolean[]): number {
  return all.length === 0 ? 100 : (100 * all.filter(Boolean).length) / all.length
}

function main(argv: readonly string[]): number {
  const { values } = parseArgs({ args: [...argv], options: { read: { type: 'boolean', default: false } } })
  if (!values.read)
    execFileSync(
      forgeProgram(),
      ['coverage', '--report', 'lcov', '--report-file', report, '--no-match-test', 'invariant_|test_gas_'],
      {
        cwd: contracts,
        env: {
          ...process.env,
          FOUNDRY_OUT: 'out/coverage',
          FOUNDRY_CACHE_PATH: 'cache/coverage',
          FOUNDRY_DENY: 'never',
          FOUNDRY_CODE_SIZE_LIMIT: '1000000',
          PEERHOST_SOLC_FOR: 'coverage',
        },
        stdio: ['ignore', 'inherit', 'inherit'],
      },
    )
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
