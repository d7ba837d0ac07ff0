import { isPeerHostError, isResourceOutcome, PeerHostError } from '@peerhost/protocol'
import { variations } from '@peerhost/runtime'
import type { Sandbox, SandboxJob, SandboxRun } from './sandbox.ts'

/** What a juror learnt by running a request several times. `unavailable`: it got no result to vote for. */
export type VariedRuns =
  | { type: 'same'; run: SandboxRun }
  | { type: 'differs'; runs: readonly SandboxRun[] }
  | { type: 'unavailable'; error: unknown }

/** Every fourth run of a juror is an ordinary one. */
const ordinaryEvery = 4
const others = variations.length - 1

/** How often a juror runs a request: under each of the other conditions once, and ordinary ones in between. */
export const JURY_RUNS = others + Math.ceil(others / (ordinaryEvery - 1))

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
    for (const variation of schedule(runs)) {
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

/** The conditions of a juror's runs in order: ordinary first, and again after every few others. */
function schedule(runs: number): number[] {
  const order: number[] = []
  let next = 1
  for (let index = 0; index < runs; index += 1) {
    if (index % ordinaryEvery === 0) {
      order.push(0)
      continue
    }
    order.push(next)
    next = next === others ? 1 : next + 1
  }
  return order
}

function withoutResult(exhausted: SandboxRun | undefined): PeerHostError {
  const code = exhausted?.outcome === 'out-of-memory' ? 'execution_out_of_memory' : 'execution_timed_out'
  return new PeerHostError(code, 'No ordinary run of the request came to a result.')
}
