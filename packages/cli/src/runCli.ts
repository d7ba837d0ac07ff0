import { CommanderError } from 'commander'
import { createColors } from 'picocolors'
import { type Command, type CommandContext, type CommandInput, UsageError } from './command.ts'
import { commands } from './commands/index.ts'
import { formatFailure, toFailure } from './failure.ts'
import { createProgram } from './program.ts'

/** What the command line touches of its process. */
export type CliStreams = {
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  version: string
  signal: AbortSignal
  stdout: { write: (text: string) => unknown; isTTY?: boolean }
  stderr: { write: (text: string) => unknown; isTTY?: boolean }
  stdin: AsyncIterable<Uint8Array | string> & { isTTY?: boolean }
}

/**
 * Runs one command line and returns its exit code: 0 done, 1 failed, 2 not understood, 130 interrupted. Results go to
 * stdout, everything else to stderr; with `--json` stdout gets exactly one line.
 */
export async function runCli(streams: CliStreams, argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json')
  const colors = createColors(usesColor(streams, argv))
  const program = createProgram(
    commands,
    streams.version,
    {
      writeOut: (text) => streams.stdout.write(text),
      writeErr: (text) => (json ? undefined : streams.stderr.write(text)),
    },
    async (command, input) => {
      exitCode = await runCommand(streams, { json, colors }, command, input)
    },
  )
  let exitCode = 0
  try {
    if (argv.length === 0) program.outputHelp()
    else await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return usageExit(streams, json, error)
    throw error
  }
}

async function runCommand(
  streams: CliStreams,
  { json, colors }: Pick<CommandContext, 'json' | 'colors'>,
  command: Command,
  input: CommandInput,
): Promise<number> {
  const emit = (data: unknown, text: string) =>
    streams.stdout.write(`${json ? formatJson({ ok: true, data }) : text}\n`)
  const context: CommandContext = {
    env: streams.env,
    cwd: streams.cwd,
    signal: streams.signal,
    isInteractive: streams.stdin.isTTY === true && streams.stderr.isTTY === true && !json && !streams.env.CI,
    readLine: lineReader(streams.stdin),
    json,
    colors,
    note: (text) => void streams.stderr.write(`${text}\n`),
    emit,
  }
  try {
    const result = await command.run(context, input)
    if (result) emit(result.data, result.text)
    return result?.failed ? 1 : 0
  } catch (error) {
    const failure = toFailure(error, streams.signal)
    const { exitCode, ...shown } = failure
    if (json) streams.stdout.write(`${formatJson({ ok: false, error: shown })}\n`)
    else streams.stderr.write(`${formatFailure(failure, colors)}\n`)
    return exitCode
  }
}

/** Reads once however often it is asked: what a pipe held is gone afterwards. */
function lineReader(stdin: CliStreams['stdin']): CommandContext['readLine'] {
  if (stdin.isTTY) return undefined
  let line: Promise<string | undefined> | undefined
  return () => {
    line ??= import('@peerhost/worker').then(({ readFirstLine }) => readFirstLine(stdin))
    return line
  }
}

/** commander ends by throwing: help and version are fine, the rest is a command line that was not understood. */
function usageExit(streams: CliStreams, json: boolean, error: CommanderError): number {
  if (error.exitCode === 0) return 0
  if (json) {
    const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n')
    const message = error.code === 'commander.help' ? 'Which command of this group?' : first
    const failure = toFailure(new UsageError(message, rest.join(' ').replace(/[()]/g, '') || undefined), streams.signal)
    const { exitCode: _, ...shown } = failure
    streams.stdout.write(`${formatJson({ ok: false, error: shown })}\n`)
  }
  return 2
}

/** bigints become decimal strings, as everywhere in the project's JSON. */
function formatJson(value: unknown): string {
  return JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? member.toString() : member))
}

function usesColor({ env, stdout, stderr }: CliStreams, argv: readonly string[]): boolean {
  if (env.NO_COLOR || argv.includes('--no-color') || argv.includes('--json')) return false
  return Boolean(env.FORCE_COLOR) || (stdout.isTTY === true && stderr.isTTY === true && env.TERM !== 'dumb')
}
