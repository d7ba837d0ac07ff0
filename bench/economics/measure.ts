import { hashResult, isResourceOutcome } from '@peerhost/protocol'
import { variations } from '@peerhost/runtime'
import { JURY_RUNS, runVaried, type Sandbox } from '@peerhost/worker'
import type { CorpusFunction } from './corpus.ts'

/** What was seen of one function on the real runtime. */
export type Measured = {
  name: string
  kind: CorpusFunction['kind']
  /** How often each result came in ordinary runs, most frequent first; runs that a limit ended are counted apart. */
  ordinary: number[]
  exhausted: number
  /** Distinct results of the runs under each variation, by its number. */
  distinct: number[]
  /** How many jurors there were, and how they would have voted; the others found one result. */
  jurors: number
  differs: number
  unavailable: number
}

export type MeasureOptions = {
  ordinaryRuns: number
  runsPerVariation: number
  jurors: number
  /** No more jurors after this, unless there are fewer than `leastJurors` and they do see differences … */
  withinMs: number
  leastJurors: number
  /** … and at this moment, of `performance.now()`, a slow machine has had its time. */
  endsAtMs: number
}

/** Runs one function in ordinary runs, under each variation, and as that many independent jurors would. */
export async function measure(
  sandbox: Sandbox,
  { name, kind, job }: CorpusFunction,
  { ordinaryRuns, runsPerVariation, jurors, withinMs, leastJurors, endsAtMs }: MeasureOptions,
): Promise<Measured> {
  const { signal } = new AbortController()
  const startedAt = performance.now()
  const see = async (variation: number, runs: number) => {
    const counts = new Map<string, number>()
    let exhausted = 0
    for (let index = 0; index < runs; index += 1) {
      const { result, outcome } = await sandbox.run({ ...job, variation }, signal)
      if (isResourceOutcome(outcome)) exhausted += 1
      else counts.set(hashResult(result), (counts.get(hashResult(result)) ?? 0) + 1)
    }
    return { counts: [...counts.values()].sort((a, b) => b - a), exhausted }
  }
  const ordinary = await see(0, ordinaryRuns)
  const distinct = [ordinary.counts.length]
  for (let variation = 1; variation < variations.length; variation += 1)
    distinct.push((await see(variation, runsPerVariation)).counts.length)
  const votes = { same: 0, differs: 0, unavailable: 0 }
  for (let juror = 0; juror < jurors; juror += 1) {
    const nowMs = performance.now()
    const needed = votes.differs > 0 && nowMs < endsAtMs ? leastJurors : 2
    if (nowMs - startedAt > withinMs && juror >= needed) break
    votes[(await runVaried(sandbox, job, JURY_RUNS, signal)).type] += 1
  }
  return {
    name,
    kind,
    ordinary: ordinary.counts,
    exhausted: ordinary.exhausted,
    distinct,
    jurors: votes.same + votes.differs + votes.unavailable,
    differs: votes.differs,
    unavailable: votes.unavailable,
  }
}
