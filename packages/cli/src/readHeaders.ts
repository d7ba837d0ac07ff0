import { UsageError } from './command.ts'

/** Lines of `-H`, “name: value”, as pairs. Throws `UsageError` for a line that is none. */
export function readHeaders(lines: readonly string[] = []): (readonly [string, string])[] {
  return lines.map((line) => {
    const colon = line.indexOf(':')
    if (colon < 1) throw new UsageError(`“${line}” is not a header.`, 'Write it as “name: value”.')
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()] as const
  })
}
