import { isResourceOutcome, type Outcome } from '@peerhost/protocol'
import { variationOf } from '@peerhost/runtime'
import { juryRunsIn, juryVariations } from '../sandbox/juryRuns.ts'
import type { Sandbox, SandboxJob } from '../sandbox/sandbox.ts'

/**
 * One run of a check. `worker` is the position of the sandbox that ran it, `result` that among the different results; absent:
 * it used up time or memory.
 */
export type CheckedRun = {
  readonly worker: number
  readonly conditions: string
  readonly outcome: Outcome
  readonly status: number
  readonly durationMs: number
  readonly result?: number
}

/** What running a request several times showed. `results` are the different results' bytes, in the order they appeared. */
export type CheckedRuns = {
  readonly verdict: 'same' | 'differs' | 'no-result'
  readonly runs: readonly CheckedRun[]
  readonly results: readonly Uint8Array[]
}

/**
 * Runs a request `runs` times, or as often as a juror and each worker under ordinary conditions at least once, under a juror's conditions, in the sandboxes of several workers by turns, and
 * sorts the results by their bytes. A run that used up time or memory has no result that could differ.
 */
export async function checkRuns(
  sandboxes: readonly Pick<Sandbox, 'run'>[],
  job: SandboxJob,
  { runs, onRun }: { runs?: number | undefined; onRun?: (run: CheckedRun) => void },
  signal: AbortSignal,
): Promise<CheckedRuns> {
  const results: Uint8Array[] = []
  const done: CheckedRun[] = []
  // Counted apart, so that two workers have ordinary runs and others, and more of them as long as there are runs.
  const turns = { ordinary: 0, varied: 1 }
  for (const variation of juryVariations(runs ?? juryRunsIn(sandboxes.length))) {
    const worker = turns[variation === 0 ? 'ordinary' : 'varied']++ % sandboxes.length
    const sandbox = sandboxes[worker]
    if (!sandbox) throw new Error('A check needs a sandbox.')
    const { outcome, status, durationMs, result } = await sandbox.run({ ...job, variation }, signal)
    const seen = { worker, conditions: variationOf(variation).name, outcome, status, durationMs }
    const run = isResourceOutcome(outcome) ? seen : { ...seen, result: positionOf(results, result) }
    done.push(run)
    onRun?.(run)
  }
  const verdict = results.length === 0 ? 'no-result' : results.length === 1 ? 'same' : 'differs'
  return { verdict, runs: done, results }
}

function positionOf(results: Uint8Array[], result: Uint8Array): number {
  const known = results.findIndex((other) => Buffer.compare(other, result) === 0)
  return known === -1 ? results.push(result) - 1 : known
}
