import type { createColors } from 'picocolors'

/** Functions that colour a text, or leave it as it is. */
export type Colors = ReturnType<typeof createColors>

/** What a command may touch of the world. Handlers get it as their first argument. */
export type CommandContext = {
  env: Readonly<Record<string, string | undefined>>
  cwd: string
  /** Fires on Ctrl-C and SIGTERM. */
  signal: AbortSignal
  /** True when a person sits at the terminal and machine output was not asked for: only then may a command ask. */
  isInteractive: boolean
  /** The first line of standard input; absent on a terminal. */
  readLine?: (() => Promise<string | undefined>) | undefined
  json: boolean
  /** Colours for stderr and for rendered results; all of them do nothing under `NO_COLOR` or away from a terminal. */
  colors: Colors
  /** A line for people, on stderr. */
  note: (text: string) => void
  /** Puts a result on stdout before the handler ends: for commands that stay up. */
  emit: (data: unknown, text: string) => void
}

export type ArgumentSpec = { name: string; description: string; required?: boolean }
export type OptionSpec = {
  /** As commander reads them: `-d, --data <body>`. */
  flags: string
  description: string
  default?: string | boolean | undefined
  /** Raw text → value; throws `UsageError` for text that it does not take. */
  parse?: (text: string, previous: unknown) => unknown
}

/** A command as data: what it is called, what it takes and what it does. */
export type Command = {
  /** Words after `peerhost`; `price set` is the command `set` in the group `price`. */
  name: string
  summary: string
  examples: readonly string[]
  arguments: readonly ArgumentSpec[]
  options: readonly OptionSpec[]
  /** Returns the data of `--json`, and the same as text for people; nothing when it emitted them itself. */
  run: (context: CommandContext, input: CommandInput) => Promise<CommandResult | undefined>
}

/** Arguments by name and options by their long name in camel case. */
export type CommandInput = Record<string, unknown>
/** `failed` makes the exit code 1 although there is a result to show. */
export type CommandResult = { data: unknown; text: string; failed?: boolean }

type TypedCommand<Input> = Omit<Command, 'run' | 'arguments' | 'options'> & {
  arguments?: readonly ArgumentSpec[]
  options?: readonly OptionSpec[]
  run: (context: CommandContext, input: Input) => Promise<CommandResult | undefined>
}

/** Gives a command's handler the types of its own arguments and options. */
export function createCommand<Input extends CommandInput>(command: TypedCommand<Input>): Command {
  return {
    arguments: [],
    options: [],
    ...command,
    run: (context, input) => command.run(context, input as Input),
  }
}

/** The caller wrote something that the command does not take: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly hint: string | undefined
  constructor(message: string, hint?: string) {
    super(message)
    this.hint = hint
  }
}

/** A whole number between the bounds, from text. */
export function parseInteger(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= minimum && value <= maximum) return value
    throw new UsageError(`“${text}” is not a whole number from ${minimum} to ${maximum}.`)
  }
}

/** A decimal amount of tokens, kept as text: money never becomes a floating point number. */
export function parseAmount(text: string): string {
  if (/^(0|[1-9]\d*)(\.\d{1,6})?$/.test(text)) return text
  throw new UsageError(`“${text}” is not an amount.`, 'Write tokens as a decimal with at most 6 places, such as 0.001.')
}

/** An address, as it was written. */
export function parseAddress(text: string): string {
  if (/^0x[0-9a-fA-F]{40}$/.test(text)) return text
  throw new UsageError(`“${text}” is not an address.`)
}

/** Gathers an option that may be given several times. */
export function collect(text: string, previous: unknown): string[] {
  return [...((previous as string[] | undefined) ?? []), text]
}
