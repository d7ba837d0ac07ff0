/**
 * What a deployment says about itself in its `flags` on chain: bits 0 to 3, and its level of isolation in bits 8 and 9.
 * `secrets`: its tickets name a version of its project's secrets. `environment`: the code reads some of them itself.
 */
export const DEPLOYMENT_FLAGS = { deterministic: 1, network: 2, secrets: 4, environment: 8 } as const

/**
 * What separates one execution from the next of the same deployment, by its number in the flags. `context`: a fresh V8
 * context; `process`: a fresh process; `container`: a fresh container; `shared`: nothing, as a server's memory is shared.
 */
export const ISOLATION_LEVELS = ['context', 'process', 'container', 'shared'] as const
export type IsolationLevel = (typeof ISOLATION_LEVELS)[number]

const isolationShift = 8
const isolationMask = 0b11

/** The flags of a level. */
export function isolationFlags(level: IsolationLevel): number {
  return ISOLATION_LEVELS.indexOf(level) << isolationShift
}

/** The level that a deployment runs at. One that says that it is deterministic shares nothing, whatever else it says. */
export function isolationOf(flags: number): IsolationLevel {
  const level = ISOLATION_LEVELS[(flags >> isolationShift) & isolationMask] ?? 'context'
  return level === 'shared' && (flags & DEPLOYMENT_FLAGS.deterministic) !== 0 ? 'context' : level
}
