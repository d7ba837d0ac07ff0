import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { BuiltFunction } from '@peerhost/bundler'
import type { CheckedRuns, ResultDifference, Sandbox, SandboxJob } from '@peerhost/worker'
import { type CommandContext, collect, createCommand, parseInteger, UsageError } from '../command.ts'
import { readDataArgument } from '../readDataArgument.ts'
import { readHeaders } from '../readHeaders.ts'
import { formatTable } from '../table.ts'

type Input = {
  function: string
  request?: string
  data?: string
  header?: string[]
  directory?: string
  runs?: number
  workers?: number
  docker: boolean
}

/** `peerhost check <function>` */
export const checkCommand = createCommand<Input>({
  name: 'check',
  summary: 'run a function on several workers, and show where the results differ',
  examples: [
    'peerhost check forecast',
    "peerhost check 'forecast/berlin?day=1'",
    'peerhost check dice -d @body.json --runs 40',
  ],
  arguments: [
    { name: 'function', description: 'name of a function of this project, with path and query', required: true },
  ],
  options: [
    { flags: '-X, --request <method>', description: 'HTTP method (GET, or POST with data)' },
    { flags: '-d, --data <data>', description: 'body; @file reads a file, @- reads stdin' },
    { flags: '-H, --header <line>', description: 'header as “name: value”; may be repeated', parse: collect },
    { flags: '--directory <directory>', description: 'project folder (default: this one)' },
    {
      flags: '--runs <n>',
      description: 'how many runs (default: as many as a juror makes, and an ordinary one for each worker)',
      parse: parseInteger(2, 1_000),
    },
    {
      flags: '--workers <n>',
      description: 'how many workers take turns, each with a sandbox of its own (default: 2)',
      parse: parseInteger(1, 16),
    },
    { flags: '--no-docker', description: 'in plain processes: nothing is isolated' },
  ],
  run: async (context, input) => {
    const { job, lacks } = await jobOf(context, input)
    if (lacks.length > 0) context.note(context.colors.yellow(withoutThem(lacks)))
    const { checkRuns, resultDifferences } = await import('@peerhost/worker')
    const checked = await withSandboxes(context, input, (sandboxes) =>
      checkRuns(sandboxes, job, { runs: input.runs }, context.signal),
    )
    const [first, ...others] = checked.results
    const differences = others.map((other) => (first ? resultDifferences(first, other) : []))
    return {
      data: { function: input.function, verdict: checked.verdict, runs: checked.runs, differences },
      text: format(context, checked, differences),
      failed: checked.verdict !== 'same',
    }
  },
})

/** What a function declares and has not got in a check. */
type Lack = 'calls' | 'secrets'

/** The job that workers would be given, with a clock and a seed that stay the same for all runs. */
async function jobOf(context: CommandContext, input: Input): Promise<{ job: SandboxJob; lacks: Lack[] }> {
  const { DEPLOYMENT_FLAGS, canonicalRequest, encodeRequest, isolationOf, limitsClass, PeerHostError } = await import(
    '@peerhost/protocol'
  )
  const { buildProject } = await import('@peerhost/bundler')
  const project = await buildProject({ directory: resolve(context.cwd, input.directory ?? '.') })
  const [pathname = '', query = ''] = splitAt(input.function, '?')
  const { target, path } = findTarget(project.functions, pathname)
  const limits = limitsClass(target.limitsClass)
  if (!limits) throw new PeerHostError('config_invalid', `There is no limits class ${target.limitsClass}.`)
  const body = input.data === undefined ? new Uint8Array(0) : readDataArgument(context.cwd, input.data)
  const method = input.request ?? (input.data === undefined ? 'GET' : 'POST')
  const request = encodeRequest(canonicalRequest({ method, path, query, headers: readHeaders(input.header), body }))
  const seed = `0x${randomBytes(32).toString('hex')}` as const
  const issuedAt = Math.floor(Date.now() / 1_000)
  const deployment = `${project.project}/${target.name}:0`
  const isolation = isolationOf(target.flags)
  const lacks: Lack[] = []
  if ((target.flags & DEPLOYMENT_FLAGS.network) !== 0) lacks.push('calls')
  if ((target.flags & DEPLOYMENT_FLAGS.environment) !== 0) lacks.push('secrets')
  return { job: { deployment, bundle: target.bundle, isolation, limits, request, issuedAt, seed }, lacks }
}

function withoutThem(lacks: readonly Lack[]): string {
  const sentences = {
    calls: 'The network is not there in a check: each outgoing call of this function fails.',
    secrets: 'Secrets are not there in a check: env is empty.',
  }
  return lacks.map((lack) => sentences[lack]).join('\n')
}

/** The function with the longest name that the reference begins with, and the path below it. */
function findTarget(functions: readonly BuiltFunction[], reference: string) {
  const candidates = functions.filter(({ name }) => reference === name || reference.startsWith(`${name}/`))
  const [target] = candidates.sort((a, b) => b.name.length - a.name.length)
  if (target) return { target, path: reference.slice(target.name.length) || '/' }
  const names = functions.map(({ name }) => name).join(', ')
  throw new UsageError(`There is no function “${reference}” in this project.`, `There is ${names}.`)
}

function splitAt(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark)
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

async function withSandboxes<T>(
  context: CommandContext,
  { docker, workers = 2 }: Input,
  use: (sandboxes: readonly Sandbox[]) => Promise<T>,
): Promise<T> {
  const { findDockerEngine } = await import('@peerhost/devnet')
  const folder = mkdtempSync(join(tmpdir(), 'peerhost-check-'))
  const log = (line: string) => context.note(context.colors.yellow(line))
  const engine = docker ? await findDockerEngine() : undefined
  if (docker && engine?.status !== 'ready') log('No Docker engine answers.')
  const socketPath = engine?.status === 'ready' ? engine.socketPath : undefined
  const sandboxes: Sandbox[] = []
  try {
    for (let worker = 0; worker < workers; worker += 1)
      // What a sandbox has to say about itself is the same for all of them.
      sandboxes.push(await openSandbox(context, { worker, socketPath, folder, log: worker === 0 ? log : () => {} }))
    return await use(sandboxes)
  } finally {
    await Promise.all(sandboxes.map((sandbox) => sandbox.close()))
    rmSync(folder, { recursive: true, force: true })
  }
}

async function openSandbox(
  { env }: CommandContext,
  options: { worker: number; socketPath: string | undefined; folder: string; log: (line: string) => void },
): Promise<Sandbox> {
  const { worker, socketPath, folder, log } = options
  const { createDockerSandbox, createProcessSandbox } = await import('@peerhost/worker')
  if (!socketPath) return createProcessSandbox({ directory: join(folder, String(worker)), slots: 1, log })
  const owner = `check-${process.pid}-${worker}`
  return createDockerSandbox({ directory: env.PEERHOST_RUNTIME_DIR ?? folder, owner, socketPath, slots: 1, log })
}

function format(
  { colors }: CommandContext,
  { verdict, runs, results }: CheckedRuns,
  differences: ResultDifference[][],
) {
  const rows = runs.map(({ worker, conditions, outcome, status, durationMs, result }) => [
    `worker ${worker + 1}`,
    conditions,
    `${Math.round(durationMs)} ms`,
    outcome,
    String(status),
    result === undefined ? colors.dim('no result') : results.length > 1 ? nameOf(result) : '',
  ])
  const details = differences.map((found, index) =>
    [
      `${nameOf(0)} and ${nameOf(index + 1)} differ:`,
      ...found.map(
        ({ where, byte, first = '(none)', second = '(none)' }) =>
          `  ${where}${byte === undefined ? '' : ` from byte ${byte}`}\n    ${nameOf(0)}  ${first}\n    ${nameOf(index + 1)}  ${second}`,
      ),
    ].join('\n'),
  )
  const verdicts = {
    same: colors.green(`the same result in ${runs.length} runs`),
    differs: colors.red(`${results.length} different results in ${runs.length} runs: workers would not agree`),
    'no-result': colors.red('no run came to a result: it used up its time or memory'),
  }
  return [formatTable(rows), ...details, verdicts[verdict]].join('\n\n')
}

/** 0 → A, 1 → B, … 26 → A1. */
function nameOf(result: number): string {
  const letter = String.fromCharCode(65 + (result % 26))
  return result < 26 ? letter : `${letter}${Math.floor(result / 26)}`
}
