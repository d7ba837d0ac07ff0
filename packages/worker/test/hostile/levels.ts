import type { IsolationLevel } from '@peerhost/protocol'
import type { SandboxJob } from '../../src/sandbox/sandbox.ts'

/** The levels that every hostile program and every recovery runs at. Here and nowhere else. */
export const levels: readonly IsolationLevel[] = ['context', 'process']

/** With `PEERHOST_HOSTILE=full` the hostile programs run at all levels: it takes twice as long, and a container for each run. */
export const hostileLevels: readonly IsolationLevel[] =
  process.env.PEERHOST_HOSTILE === 'full' ? ['context', 'process', 'shared', 'container'] : levels

/** The level for tests of many executions where the level does not matter: the cheapest that there is. */
export const cheapestLevel: IsolationLevel = levels[0] ?? 'process'

/** Levels whose functions see Node's own modules; the others have a realm of web standards alone. */
export const hasNode = (level: IsolationLevel) => level === 'process' || level === 'container'

/** The job at a level, with all that the level may give it: Node's own modules where it has them. */
export function atLevel(job: SandboxJob, isolation: IsolationLevel): SandboxJob {
  if (!hasNode(isolation)) return { ...job, isolation }
  return { ...job, isolation, bundle: Buffer.concat([Buffer.from('"use node";\n'), job.bundle]) }
}
