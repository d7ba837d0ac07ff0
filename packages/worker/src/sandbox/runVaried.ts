import { isPeerHostError, isResourceOutcome, PeerHostError } from '@peerhost/protocol'
import { juryVariations } from './juryRuns.ts'
import type { Sandbox, SandboxJob, SandboxRun } from './sandbox.ts'

/** What a juror learnt by running a request several times. `unavailable`: it got no result to vote for. */
export type VariedRuns =
  | { type: 'same'; run: SandboxRun }
  | { type: 'differs'; runs: readonly SandboxRun[] }
  | { type: 'unavailable'; error: unknown }

/**
 * Runs a job `runs` times, one after the other, under varied conditions, and compares the results byte for byte. Stops at
 * the first difference.
 *
 * A run that used up time or memory has no result: it is left out of the comparison, and never a difference. A function at
 * the edge of its memory completes with the same bytes or not at all, so nobody can be convicted for it; and one that our
 * smaller heap or the interpreter pushes over that edge is not blamed for what we did. What is left must come from at
 * least one ordinary run, or the vote is `unavailable`.
 */
export async function runVaried(
  sandbox: Sandbox,
  job: SandboxJob,
  runs: number,
  signal: AbortSignal,
): Promise<VariedRuns> {
  let first: SandboxRun | undefined
  let ordinary: SandboxRun | undefined
  let exhausted: SandboxRun | undefined
  try {
    for (const variation of juryVariations(runs)) {
      const run = await sandbox.run({ ...job, variation }, signal)
      if (isResourceOutcome(run.outcome)) {
        exhausted ??= run
        continue
      }
      first ??= run
      if (Buffer.compare(first.result, run.result) !== 0) return { type: 'differs', runs: [first, run] }
      if (variation === 0) ordinary ??= run
    }
  } catch (error) {
    signal.throwIfAborted()
    if (!isPeerHostError(error)) throw error
    return { type: 'unavailable', error }
  }
  return ordinary ? { type: 'same', run: ordinary } : { type: 'unavailable', error: withoutResult(exhausted) }
}

function withoutResult(exhausted: SandboxRun | undefined): PeerHostError {
  const code = exhausted?.outcome === 'out-of-memory' ? 'execution_out_of_memory' : 'execution_timed_out'
  return new PeerHostError(code, 'No ordinary run of the request came to a result.')
}
