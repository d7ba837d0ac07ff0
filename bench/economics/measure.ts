import { hashResult } from '@peerhost/protocol'
import { variations } from '@peerhost/runtime'
import { JURY_RUNS, runVaried, type Sandbox } from '@peerhost/worker'
import type { CorpusFunction } from './corpus.ts'

/** What was seen of one function on the real runtime. */
export type Measured = {
  name: string
  kind: CorpusFunction['kind']
  /** How often each result came in ordinary runs, most frequent first; resource outcomes are counted apart. */
  ordinary: number[]
  exhausted: number
  /** Distinct results per variation, by its number. */
  distinct: number[]
  /** How many jurors there were, and how each would have voted. */
  jurors: number
  differs: number
  unavailable: number
}

export type MeasureOptions = { ordinaryRuns: number; runsPerVariation: number; jurors: number }

/** Runs one function in ordinary runs, under each variation, and as that many independent jurors would. */
export async function measure(
  sandbox: Sandbox,
  { name, kind, job }: CorpusFunction,
  { ordinaryRuns, runsPerVariation, jurors }: MeasureOptions,
): Promise<Measured> {
  const signal = new AbortController().signal
  const seen = async (variation: number, runs: number) => {
    const counts = new Map<string, number>()
    let exhausted = 0
    for (let index = 0; index < runs; index += 1) {
      const run = await sandbox.run({ ...job, variation }, signal)
      if (run.outcome === 'timed-out' || run.outcome === 'out-of-memory') exhausted += 1
      else counts.set(hashResult(run.result), (counts.get(hashResult(run.result)) ?? 0) + 1)
    }
    return { counts: [...counts.values()].sort((a, b) => b - a), exhausted }
  }
  const ordinary = await seen(0, ordinaryRuns)
  const distinct = [ordinary.counts.length]
  for (let variation = 1; variation < variations.length; variation += 1)
    distinct.push((await seen(variation, runsPerVariation)).counts.length)
  const votes = { same: 0, differs: 0, unavailable: 0 }
  for (let juror = 0; juror < jurors; juror += 1) votes[(await runVaried(sandbox, job, JURY_RUNS, signal)).type] += 1
  return {
    name,
    kind,
    ordinary: ordinary.counts,
    exhausted: ordinary.exhausted,
    distinct,
    jurors,
    differs: votes.differs,
    unavailable: votes.unavailable,
  }
}
