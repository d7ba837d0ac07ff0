/**
 * The test command: every stage, in order, with the count of tests as its last line.
 * `npm test -- contracts unit` runs only the stages that are named.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { requireDockerEngine } from '@peerhost/devnet'
import { forgeProgram } from '../contracts/scripts/forgeProgram.ts'

type Count = { passed: number; failures: string[] }
type Stage = { name: string; about: string; run: () => Promise<Count> }

const root = join(import.meta.dirname, '..')
/** Characters of why a test failed that are said again at the end. */
const mostReason = 1_000
const source = '--conditions=@peerhost/source'

const stages: Stage[] = [
  { name: 'check', about: 'format, lint, types, unused code, generated files', run: () => check() },
  {
    name: 'contracts',
    about: 'forge and solhint: format, lint, unit, fuzz, invariants, vectors, gas',
    run: () => contracts(),
  },
  {
    name: 'unit',
    about: 'vitest: every package, with real anvil, Docker and PostgreSQL',
    run: () => vitest(['packages', 'scripts', 'bench', 'test/agreement', 'test/corpus', 'test/functions']),
  },
  { name: 'examples', about: 'every example runs and asserts', run: () => examples() },
  { name: 'e2e', about: 'vitest: the whole network', run: () => vitest(['test/e2e']) },
  { name: 'packed', about: 'vitest: the packages as they are published', run: () => vitest(['test/packed']) },
]

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !stages.some((stage) => stage.name === name))
if (unknown.length > 0) {
  console.error(`There is no stage ${unknown.join(', ')}. Stages: ${stages.map((stage) => stage.name).join(', ')}.`)
  process.exit(2)
}

// Whoever ends this ends what it started: every command here stops its own children on SIGTERM.
const children = new Set<ChildProcess>()
let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    interrupted = true
    for (const child of children) child.kill('SIGTERM')
  })
}

await requireDockerEngine({ onStep: (text) => console.error(text) })
const total: Count = { passed: 0, failures: [] }
// The compiler of the contracts uses one core for minutes: everything else goes on beside it.
const chosen = stages.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
const compiling = chosen.filter(({ name }) => name === 'contracts').map(perform)
for (const stage of chosen.filter(({ name }) => name !== 'contracts')) await perform(stage)
await Promise.all(compiling)
process.exitCode = interrupted ? 130 : total.failures.length === 0 && total.passed > 0 ? 0 : 1
// The last lines are what is kept of a long log: what failed is said there again.
for (const failure of total.failures) console.log(`FAILED ${failure}`)
console.log(`\n${total.passed} passed, ${total.failures.length} failed`)

async function perform(stage: Stage): Promise<void> {
  console.log(`\n== ${stage.name}: ${stage.about}`)
  const startedAt = performance.now()
  const count = await stage.run()
  total.passed += count.passed
  total.failures.push(...count.failures.map((failure) => `${stage.name}: ${failure}`))
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0)
  console.log(`-- ${stage.name}: ${count.passed} passed, ${count.failures.length} failed, ${seconds} s`)
}

/** Each command is one check: it passes when it exits with 0. */
async function check(): Promise<Count> {
  const commands = [
    ['biome', 'check', '--error-on-warnings', '.'],
    ['tsc', '--noEmit', '-p', 'tsconfig.json'],
    ['knip'],
    ['node', source, 'vectors/generate.ts', '--check'],
  ]
  return tally(commands)
}

async function contracts(): Promise<Count> {
  const folder = join(root, 'contracts')
  // The linter leaves artifacts without code: they go where nobody looks for code.
  const lint = { FOUNDRY_OUT: 'out/lint', FOUNDRY_CACHE_PATH: 'cache/lint' }
  const count = await tally(
    [
      [forgeProgram(), 'fmt', '--check'],
      [forgeProgram(), 'lint'],
      ['solhint', '--disc', '--noPoster', '--max-warnings', '0', 'src/**/*.sol'],
    ],
    { cwd: folder, env: lint },
  )
  const tested = await forgeTest(folder)
  // The tests have compiled what the packages' artifacts are made of: comparing them costs nothing more.
  const artifacts = await tally([['node', source, 'contracts/scripts/generateArtifacts.ts', '--check', '--built']])
  const all = [count, tested, artifacts]
  return {
    passed: all.reduce((sum, { passed }) => sum + passed, 0),
    failures: all.flatMap(({ failures }) => failures),
  }
}

/** Unit, fuzz and invariant tests; the gas of contracts/snapshots is compared, and a difference fails its test. */
async function forgeTest(cwd: string): Promise<Count> {
  const env = { FORGE_SNAPSHOT_CHECK: 'true' }
  const { code, stdout } = await run([forgeProgram(), 'test', '--json'], { cwd, env, output: 'collect' })
  const report = stdout.slice(stdout.indexOf('{'))
  if (report === '') return { passed: 0, failures: ['forge test: no report'] }
  type Suite = { test_results: Record<string, { status: string; reason?: string | null }> }
  const results = Object.entries(JSON.parse(report) as Record<string, Suite>).flatMap(([suite, { test_results }]) =>
    Object.entries(test_results).map(([test, result]) => ({ ...result, name: `${suite} ${test}` })),
  )
  return countOf(
    results.filter(({ status }) => status === 'Success').length,
    results
      .filter(({ status }) => status !== 'Success')
      .map(({ name, status, reason }) => `${name}: ${reason ?? status}`),
    code,
  )
}

async function vitest(filters: string[]): Promise<Count> {
  const file = join(tmpdir(), `peerhost-test-${process.pid}.json`)
  const { code } = await run([
    'vitest',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
    ...filters,
  ])
  type Assertion = { fullName: string; status: string; failureMessages?: string[] }
  type Report = {
    numPassedTests: number
    testResults: { name: string; status: string; assertionResults: Assertion[] }[]
  }
  try {
    const { numPassedTests, testResults } = JSON.parse(readFileSync(file, 'utf8')) as Report
    const failures = testResults.flatMap(({ name, status, assertionResults }) => {
      const tests = assertionResults.filter((test) => test.status === 'failed')
      // A file that does not load has no tests to fail, yet the run has failed.
      const failed: Assertion[] =
        tests.length === 0 && status === 'failed' ? [{ fullName: 'the file itself', status }] : tests
      return failed.map(({ fullName, failureMessages: [why = ''] = [] }) => {
        const [reason] = why.split('\n')
        return `${relative(root, name)} ${fullName}: ${reason?.slice(0, mostReason) ?? ''}`
      })
    })
    return countOf(numPassedTests, failures, code)
  } catch (error) {
    return { passed: 0, failures: [`vitest ${filters.join(' ')}: no report (${error})`] }
  } finally {
    rmSync(file, { force: true })
  }
}

/** A runner that exits with an error has failed, whatever its report says. */
function countOf(passed: number, failures: string[], code: number): Count {
  return { passed, failures: failures.length === 0 && code !== 0 ? [`the runner exited with ${code}`] : failures }
}

async function examples(): Promise<Count> {
  return tally([
    ['node', source, 'examples/weather/check.ts'],
    ['node', source, 'examples/webhook/check.ts'],
    ['node', source, 'examples/paid-agent/main.ts'],
    ['node', source, 'examples/demo/main.ts', '--once', '--json'],
  ])
}

async function tally(commands: string[][], where: Pick<RunOptions, 'cwd' | 'env'> = {}): Promise<Count> {
  const count: Count = { passed: 0, failures: [] }
  for (const command of commands) {
    const [program = '', ...args] = command
    const { code } = await run(command, where)
    const about = `${basename(program)} ${args.join(' ')}`
    if (code === 0) count.passed += 1
    else count.failures.push(about)
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${about}`)
  }
  return count
}

type RunOptions = { cwd?: string; env?: Record<string, string>; output?: 'show' | 'collect' }

function run(command: string[], options: RunOptions = {}): Promise<{ code: number; stdout: string }> {
  if (interrupted) return Promise.resolve({ code: 130, stdout: '' })
  const { cwd = root, env = {}, output = 'show' } = options
  const [program = '', ...args] = command
  return new Promise((resolve, reject) => {
    const stdout = output === 'show' ? 'inherit' : 'pipe'
    const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', stdout, 'inherit'] })
    children.add(child)
    const chunks: Buffer[] = []
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk))
    child.once('error', reject)
    child.once('close', (code) => {
      children.delete(child)
      resolve({ code: code ?? 1, stdout: Buffer.concat(chunks).toString() })
    })
  })
}
