import type { ProtocolParameters } from '@peerhost/protocol'
import { type Behaviour, benchOf, caseChances, juryChances } from './jury.ts'

const token = 1_000_000

/** What the exact figures assume beside the parameters. */
export type Setting = {
  operators: number
  /** Share of the honest operators that answers a call to a jury or an audit. */
  attendance: number
}

/** Chance that a liar whose coalition holds this share is convicted in a case. It acquits itself by "differs". */
export function convictionChance(parameters: ProtocolParameters, setting: Setting, hostileShare: number): number {
  const behaviour: Behaviour = { differs: 0, against: 1, unavailable: 0, hostile: 'differs' }
  const bench = benchOf({ ...setting, hostileShare, isAccusedHostile: true }, parameters.jurySize)
  return caseChances(juryChances(bench, behaviour, parameters.minimumVotes)).convicted
}

/** Chance that an audited lie meets an auditor who is not of the coalition. */
export function auditorChance({ operators, attendance }: Setting, hostileShare: number): number {
  const hostile = Math.floor(operators * hostileShare + 1e-9)
  const drawn = Math.min(1, auditorSeats / operators) * attendance
  return 1 - (1 - drawn) ** Math.max(0, operators - Math.max(1, hostile))
}

/** What one lie costs a coalition on average, in tokens. */
export function expectedLoss(parameters: ProtocolParameters, setting: Setting, hostileShare: number): number {
  const audited = (parameters.auditRateBps / 10_000) * auditorChance(setting, hostileShare)
  return audited * convictionChance(parameters, setting, hostileShare) * slashOf(parameters)
}

/** The smallest share of stake, in whole percent, from which `gain` tokens per lie are more than a lie costs. */
export function shareThatPays(parameters: ProtocolParameters, setting: Setting, gain: number): number {
  for (let percent = 1; percent <= 100; percent += 1)
    if (expectedLoss(parameters, setting, percent / 100) < gain) return percent
  return 101
}

/** What is taken from a convicted worker of the minimum stake, in tokens. */
export function slashOf({ minimumStake, slashBps }: ProtocolParameters): number {
  return (Number(minimumStake) / token) * (slashBps / 10_000)
}

/**
 * What a challenger may expect, in tokens, who accuses an honest worker of a rare result. `differs` is the chance that an
 * honest juror sees that results differ; one that does not is taken to vote for the frequent one. The hostile jurors vote
 * against the accused.
 */
export function rareValueCase(
  parameters: ProtocolParameters,
  setting: Setting,
  { hostileShare, differs }: { hostileShare: number; differs: number },
): { slashed: number; profit: number } {
  const behaviour: Behaviour = { differs, against: 1 - differs, unavailable: 0, hostile: 'against' }
  const bench = benchOf({ ...setting, hostileShare, isAccusedHostile: false }, parameters.jurySize)
  const chances = caseChances(juryChances(bench, behaviour, parameters.minimumVotes))
  return { slashed: chances.convicted, profit: challengerProfit(parameters, chances) }
}

/** A challenger's mean profit, given how its cases end. Least pay of the jurors; the bond is lost where the court takes it. */
export function challengerProfit(
  parameters: ProtocolParameters,
  chances: { convicted: number; acquitted: number; flagged: number; unavailable: number },
): number {
  const fee = Number(parameters.jurorFee) / token
  const bond = Number(parameters.challengeBond) / token
  const left = Math.max(0, slashOf(parameters) - 2 * parameters.minimumVotes * fee)
  const reward = (left * parameters.challengerShareBps) / 10_000
  // A jury that sees a difference is paid by the challenger, for those at least who did not.
  return chances.convicted * reward - chances.acquitted * bond - chances.flagged * fee - chances.unavailable * bond
}

const auditorSeats = 2
