export {
  type Command,
  type CommandContext,
  type CommandInput,
  type CommandResult,
  createCommand,
  UsageError,
} from './command.ts'
export { commands } from './commands/index.ts'
export { type CliStreams, runCli } from './runCli.ts'
