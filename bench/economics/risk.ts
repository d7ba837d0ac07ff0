import type { ProtocolParameters } from '@peerhost/protocol'
import { interval } from './binomial.ts'
import { challengerProfit } from './incentives.ts'
import { type Behaviour, benchOf, caseChances, createCourt, juryChances, type Verdict } from './jury.ts'
import type { Measured } from './measure.ts'
import type { Random } from './random.ts'

/** What challenges of one function's honest workers come to, in one network. */
export type Risk = {
  /** Exact chance that the worker is slashed, with the jurors' chance to see a difference as it was measured. */
  slashed: number
  /** The same with the lower end of that chance (99 %). */
  slashedAtMost: number
  /** What chance gave, with that lower end: how often, and the upper end of the interval (99 %). */
  hits: number
  hitsAtMost: number
  /** The challenger's mean profit in tokens, and the ends of its interval (99 %). */
  profit: number
  profitLow: number
  profitHigh: number
}

const confidence = 0.98
const deviations = 2.576

/** Whether honest runs were ever seen to differ: then an accused may have had a rare result. */
export function isEntropic({ ordinary, differs }: Measured): boolean {
  return ordinary.length > 1 || differs > 0
}

/** The lower end of a juror's chance to see that results differ. */
export function detection({ differs, jurors }: Measured): { seen: number; atLeast: number } {
  return { seen: differs / jurors, atLeast: interval(differs, jurors, confidence).low }
}

/** A third hostile, an honest worker accused; jurors that see no difference all vote for the other result. */
export function riskOf(measured: Measured, { parameters, operators, attendance, trials, random }: RiskOptions): Risk {
  const network = { operators, hostileShare: 1 / 3, isAccusedHostile: false, attendance }
  const bench = benchOf(network, parameters.jurySize)
  const { seen, atLeast } = detection(measured)
  const behaviour = (differs: number): Behaviour =>
    isEntropic(measured)
      ? { differs, against: 1 - differs, unavailable: 0, hostile: 'against' }
      : { differs: 0, against: 0, unavailable: 0, hostile: 'against' }
  const exact = (differs: number) => caseChances(juryChances(bench, behaviour(differs), parameters.minimumVotes))
  const court = createCourt(bench, behaviour(atLeast), parameters.minimumVotes)
  const counts: Partial<Record<Verdict, number>> = {}
  for (let trial = 0; trial < trials; trial += 1) {
    const verdict = court(random)
    counts[verdict] = (counts[verdict] ?? 0) + 1
  }
  const hits = counts.convicted ?? 0
  const { mean, error } = profitOf(parameters, counts, trials)
  return {
    slashed: exact(seen).convicted,
    slashedAtMost: exact(atLeast).convicted,
    hits,
    hitsAtMost: interval(hits, trials, confidence).high,
    profit: mean,
    profitLow: mean - deviations * error,
    profitHigh: mean + deviations * error,
  }
}

export type RiskOptions = {
  parameters: ProtocolParameters
  operators: number
  attendance: number
  trials: number
  random: Random
}

function profitOf(parameters: ProtocolParameters, counts: Partial<Record<Verdict, number>>, trials: number) {
  const none = { convicted: 0, acquitted: 0, flagged: 0, unavailable: 0 }
  const worth = (verdict: string) => challengerProfit(parameters, { ...none, [verdict]: 1 })
  let sum = 0
  let squares = 0
  for (const [verdict, count] of Object.entries(counts)) {
    sum += worth(verdict) * count
    squares += worth(verdict) ** 2 * count
  }
  const mean = sum / trials
  return { mean, error: Math.sqrt(Math.max(0, squares / trials - mean ** 2) / trials) }
}
