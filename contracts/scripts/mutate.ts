/**
 * Removes each guard of the contracts in turn and runs the tests of its area: a guard that no test misses is listed.
 * `node contracts/scripts/mutate.ts --area lane [--tests lane,court] [--only File.sol] [--jobs 2] [--attacks] [--json] [--fresh]`
 * Works on a copy, compiles once, keeps what it has learnt there, and goes on where it was stopped.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { forgeProgram } from './forgeProgram.ts'
import { type Mutant, mutate, mutateFormulas, SWITCH_SOURCE } from './mutants.ts'

type Verdict = 'killed' | 'survived'
/** `failures` are the tests that failed. */
type Progress = { excluded: string[]; verdicts: { [id: number]: Verdict }; failures: { [id: number]: string[] } }

const contracts = fileURLToPath(new URL('..', import.meta.url))
const nodeModules = fileURLToPath(new URL('../../node_modules', import.meta.url))
/** In place of an area: the defences that are no guards, wherever they stand. */
const FORMULAS_AREA = 'formulas'
const SWITCH_FILE = 'src/Mutant.sol'
const MINUTE_MS = 60_000
const TIMED_OUT = -1

const { values: options } = parseArgs({
  options: {
    area: { type: 'string' },
    tests: { type: 'string' },
    only: { type: 'string' },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    attacks: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
  },
})

function solidityFiles(folder: string): string[] {
  return readdirSync(join(contracts, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.sol'))
    .map((name) => join(folder, name))
    .sort()
}

/** The same sources and tests have the same folder, so that a second run finds what the first one did. */
function copyFolder(area: string, tests: string): string {
  const hash = createHash('sha256')
  for (const file of [...solidityFiles('src'), ...testsOf(tests)]) hash.update(readFileSync(join(contracts, file)))
  return join(tmpdir(), 'peerhost-mutants', `${area}-${tests}-${hash.digest('hex').slice(0, 16)}`)
}

/** The tests of areas and what they import. Asked to filter, forge would compile for each run what it filters by. */
function testsOf(tests: string): string[] {
  const found = new Set(tests.split(',').flatMap((folder) => solidityFiles(join('test', folder))))
  for (const file of found) {
    for (const [, imported = ''] of readFileSync(join(contracts, file), 'utf8').matchAll(/from "(\.[^"]*)"/g)) {
      const path = join(dirname(file), imported)
      if (path.startsWith('test')) found.add(path)
    }
  }
  return [...found]
}

function makeCopy(copy: string, tests: string): void {
  const inside = join(copy, 'contracts')
  if (options.fresh) rmSync(copy, { recursive: true, force: true })
  mkdirSync(inside, { recursive: true })
  for (const name of ['src', 'bin', 'foundry.toml', ...testsOf(tests)]) {
    cpSync(join(contracts, name), join(inside, name), { recursive: true, preserveTimestamps: true })
  }
  cpSync(join(contracts, '../vectors'), join(copy, 'vectors'), { recursive: true })
  // What was compiled before need not be compiled again: only the area is changed here.
  for (const name of ['out', 'cache']) {
    const isNew = existsSync(join(contracts, name)) && !existsSync(join(inside, name))
    if (isNew) cpSync(join(contracts, name), join(inside, name), { recursive: true, preserveTimestamps: true })
  }
  if (!existsSync(join(inside, 'node_modules'))) symlinkSync(nodeModules, join(inside, 'node_modules'))
  writeFileSync(join(inside, SWITCH_FILE), SWITCH_SOURCE)
}

/** Writes the mutated sources into the copy. Numbers begin at 1: zero is the usual `block.coinbase`. */
function mutateArea(copy: string, area: string): Mutant[] {
  const mutants: Mutant[] = []
  const isGuards = area !== FORMULAS_AREA
  for (const file of solidityFiles(isGuards ? join('src', area) : 'src')) {
    const mutated = (isGuards ? mutate : mutateFormulas)(contracts, file, mutants.length + 1, SWITCH_FILE)
    if (mutated.mutants.length > 0) writeFileSync(join(copy, 'contracts', file), mutated.source)
    mutants.push(...mutated.mutants)
  }
  return mutants
}

function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('FOUNDRY_'))
  return {
    ...Object.fromEntries(own),
    FOUNDRY_DENY: 'never',
    // Code with every mutant in it is larger than a chain allows.
    FOUNDRY_CODE_SIZE_LIMIT: '1000000',
    FOUNDRY_FUZZ_RUNS: '32',
    FOUNDRY_INVARIANT_RUNS: '8',
    FOUNDRY_INVARIANT_DEPTH: '32',
    FOUNDRY_LINT_LINT_ON_BUILD: 'false',
  }
}

function forge(copy: string, mutant: number): Promise<[number, string]> {
  const coinbase = `0x${mutant.toString(16).padStart(40, '0')}`
  return new Promise((resolve, reject) => {
    const child = spawn(forgeProgram(), ['test', '--block-coinbase', coinbase], {
      cwd: join(copy, 'contracts'),
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const output: Buffer[] = []
    child.stdout.on('data', (data: Buffer) => output.push(data))
    child.stderr.on('data', (data: Buffer) => output.push(data))
    // A mutant may loop for as long as its gas lasts: that is noticed too.
    const timer = setTimeout(() => child.kill('SIGKILL'), 10 * MINUTE_MS)
    if (mutant === 0) clearTimeout(timer)
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      resolve([code ?? TIMED_OUT, Buffer.concat(output).toString()])
    })
  })
}

/** Tests that fail with no mutant on measure gas or code size, which the switches change. */
async function findMeasurements(copy: string): Promise<string[]> {
  const [code, output] = await forge(copy, 0)
  if (code === 0) return []
  const failed = failedTests(output)
  if (failed.length === 0) throw new Error(`The mutated contracts do not compile or run:\n${output.slice(-4000)}`)
  return failed
}

function failedTests(output: string): string[] {
  const names = [...output.matchAll(/^\[FAIL.*\] ((?:test|invariant)\w*)\(/gm)].map(([, name]) => name as string)
  return [...new Set(names)]
}

async function leaveOut(copy: string, tests: string, excluded: readonly string[]): Promise<void> {
  if (excluded.length === 0) return
  const names = excluded.map((name) => `${name}\\(`)
  for (const file of testsOf(tests)) {
    const path = join(copy, 'contracts', file)
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace(new RegExp(`function (?=${names.join('|')})`, 'g'), 'function leftOut_'))
  }
  const [code, output] = await forge(copy, 0)
  if (code !== 0) throw new Error(`Tests fail with no mutant on:\n${output.slice(-4000)}`)
}

async function judge(copy: string, mutants: readonly Mutant[], progress: Progress, save: () => void): Promise<void> {
  const waiting = mutants.filter(({ id }) => progress.verdicts[id] === undefined)
  const jobs = Array.from({ length: Number(options.jobs) }, async () => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const [code, output] = await forge(copy, mutant.id)
      if (code > 0 && !output.includes('[FAIL')) throw new Error(`Nothing was tested:\n${output.slice(-4000)}`)
      progress.verdicts[mutant.id] = code === 0 ? 'survived' : 'killed'
      progress.failures[mutant.id] = failedTests(output)
      save()
      if (!options.json) process.stderr.write(code === 0 ? `\n${describe(mutant)}\n` : '.')
    }
  })
  await Promise.all(jobs)
}

function describe({ file, line, kind, text }: Mutant): string {
  return `${file}:${line} ${kind}: ${text}`
}

/** What each attack needs, with `--attacks`: the mutants that let it through. */
function describeAttacks(tests: string, mutants: readonly Mutant[], progress: Progress): string[] {
  const names = testsOf(tests).flatMap((file) =>
    [...readFileSync(join(contracts, file), 'utf8').matchAll(/function (test(?:Fuzz)?_Attack_\w+)/g)].map(
      ([, name]) => name,
    ),
  )
  return [...new Set(names)].map((name) => {
    const opened = mutants.filter(({ id }) => progress.failures[id]?.includes(name as string))
    return `${name}: ${opened.map(({ file, line, text }) => `${file.split('/').at(-1)}:${line} ${text}`).join(' | ')}`
  })
}

async function main(): Promise<number> {
  const { area, tests = area, only } = options
  if (area === undefined || tests === undefined) {
    process.stderr.write(`Name an area: ${[...readdirSync(join(contracts, 'src')), FORMULAS_AREA].join(', ')}\n`)
    return 2
  }
  const copy = copyFolder(area, tests)
  makeCopy(copy, tests)
  const mutants = mutateArea(copy, area)
  const progressFile = join(copy, 'progress.json')
  const progress: Progress = existsSync(progressFile)
    ? (JSON.parse(readFileSync(progressFile, 'utf8')) as Progress)
    : { excluded: await findMeasurements(copy), verdicts: {}, failures: {} }
  const save = () => writeFileSync(progressFile, JSON.stringify(progress))
  save()
  await leaveOut(copy, tests, progress.excluded)
  const chosen = mutants.filter(({ file }) => only === undefined || file.endsWith(only))
  await judge(copy, chosen, progress, save)
  const survivors = chosen.filter(({ id }) => progress.verdicts[id] === 'survived')
  const { excluded } = progress
  if (options.json) process.stdout.write(`${JSON.stringify({ mutants: chosen.length, survivors, excluded })}\n`)
  else {
    const heading = `${area}: ${chosen.length} mutants, ${survivors.length} survived`
    const lines = options.attacks ? describeAttacks(tests, chosen, progress) : survivors.map(describe)
    process.stdout.write(`\n${[heading, ...lines].join('\n')}\n`)
    if (excluded.length > 0) process.stdout.write(`Left out, since switches change gas: ${excluded.join(', ')}\n`)
  }
  return survivors.length === 0 ? 0 : 1
}

process.exitCode = await main()
