import { PeerHostError } from '@peerhost/protocol'
import type { z } from 'zod'

/** A place in a source file, both numbers from 1. */
export type Position = { line: number; column: number }

/** Something wrong at one place. */
export type Problem = { file: string; position?: Position | undefined; message: string }

export type KeyPath = readonly PropertyKey[]

/** A plain value that knows where each of its parts was written. */
export type Located = { file: string; value: unknown; positions: ReadonlyMap<string, Position> }

/** The key under which `positions` holds a path. */
export function pathKey(path: KeyPath): string {
  return JSON.stringify(path.map(String))
}

/** A problem at `path`, or at the nearest part around it that was written down. */
export function problemAt({ file, positions }: Located, path: KeyPath, message: string): Problem {
  const what = path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`
  for (let length = path.length; length >= 0; length--) {
    const position = positions.get(pathKey(path.slice(0, length)))
    if (position) return { file, position, message: what }
  }
  return { file, message: what }
}

/** Checks a value against a schema; every mistake becomes a problem with its place. */
export function checkLocated<T extends z.ZodType>(
  schema: T,
  located: Located,
): { value: z.infer<T> | undefined; problems: Problem[] } {
  const parsed = schema.safeParse(located.value)
  if (parsed.success) return { value: parsed.data, problems: [] }
  const problems = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => problemAt(located, [...issue.path, key], 'unknown key.'))
      : [problemAt(located, issue.path, issue.message)],
  )
  return { value: undefined, problems }
}

/** `file:line:column message`, the form editors make clickable. */
function formatProblem({ file, position, message }: Problem): string {
  return position ? `${file}:${position.line}:${position.column} ${message}` : `${file} ${message}`
}

/** Throws `config_invalid` that lists every problem at once; does nothing when there is none. */
export function throwProblems(problems: readonly Problem[]): void {
  if (problems.length === 0) return
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
  throw new PeerHostError('config_invalid', `The project has ${count}.`, { details: problems.map(formatProblem) })
}
