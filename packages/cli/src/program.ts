import { Command as CommanderCommand, InvalidArgumentError, Option } from 'commander'
import { type Command, type CommandInput, UsageError } from './command.ts'

export type Streams = { writeOut: (text: string) => void; writeErr: (text: string) => void }

/** The commands as one commander program; `onRun` gets the command that was named and its parsed input. */
export function createProgram(
  commands: readonly Command[],
  version: string,
  streams: Streams,
  onRun: (command: Command, input: CommandInput) => Promise<void>,
): CommanderCommand {
  const program = new CommanderCommand('peerhost')
    .description('Deploy functions instead of servers: run by staked workers, paid by x402, checked by anyone.')
    .version(version, '-V, --version')
    .option('--json', 'print one line of JSON on stdout')
    .option('--no-color', 'no colours (NO_COLOR works too)')
    .configureOutput(streams)
    .exitOverride()
    .addHelpText('after', '\nStart here:\n  peerhost init my-api && cd my-api && peerhost dev')
  const groups = new Map<string, CommanderCommand>()
  for (const command of commands) {
    const words = command.name.split(' ')
    const name = words.pop() ?? command.name
    add(groupFor(program, groups, words[0]), name, command, onRun)
  }
  return program
}

function groupFor(
  program: CommanderCommand,
  groups: Map<string, CommanderCommand>,
  name: string | undefined,
): CommanderCommand {
  if (!name) return program
  const known = groups.get(name)
  if (known) return known
  const group = program.command(name).description(groupSummaries[name] ?? '')
  groups.set(name, group)
  return group
}

const groupSummaries: Record<string, string> = {
  price: 'read and change what a function costs',
  secret: 'what the gateway adds to calls of a project’s functions',
  worker: 'be an operator: stake, status, exit',
}

function add(
  parent: CommanderCommand,
  name: string,
  command: Command,
  onRun: (command: Command, input: CommandInput) => Promise<void>,
): void {
  const sub = parent.command(name).description(command.summary).allowExcessArguments(false)
  for (const argument of command.arguments)
    sub.argument(argument.required ? `<${argument.name}>` : `[${argument.name}]`, argument.description)
  for (const spec of command.options) {
    const option = new Option(spec.flags, spec.description)
    if (spec.default !== undefined) option.default(spec.default)
    if (spec.parse) option.argParser(commanderParser(spec.parse))
    sub.addOption(option)
  }
  sub.option('--json', 'print one line of JSON on stdout')
  if (command.examples.length > 0)
    sub.addHelpText('after', `\nExamples:\n${command.examples.map((example) => `  ${example}`).join('\n')}`)
  sub.action(async (...received: unknown[]) => {
    const values = Object.fromEntries(command.arguments.map((argument, index) => [argument.name, received[index]]))
    await onRun(command, { ...sub.optsWithGlobals(), ...values })
  })
}

function commanderParser(parse: (text: string, previous: unknown) => unknown) {
  return (text: string, previous: unknown) => {
    try {
      return parse(text, previous)
    } catch (error) {
      if (error instanceof UsageError)
        throw new InvalidArgumentError([error.message, error.hint].filter(Boolean).join(' '))
      throw error
    }
  }
}
