import { binomial, sampler } from './binomial.ts'
import type { Random } from './random.ts'

/** What a jury's votes add up to. `leading`: the result, other than the accused's, that most jurors got. */
export type Tally = { votes: number; agree: number; leading: number; differs: number; unavailable: number }
export type Verdict = 'undecided' | 'flagged' | 'unavailable' | 'convicted' | 'acquitted' | 'hung'
export type Chances = Record<Verdict, number>

/** What one jury says of its tally. Mirrors `Verdicts._verdictOf` of the court, in the same order. */
export function verdictOf({ votes, agree, leading, differs, unavailable }: Tally, minimumVotes: number): Verdict {
  if (votes < minimumVotes) return 'undecided'
  if (differs > 0) return 'flagged'
  if (2 * unavailable >= votes) return 'unavailable'
  if (6 * leading >= 5 * votes) return 'convicted'
  return 2 * agree > votes ? 'acquitted' : 'hung'
}

/** Who could sit in one jury: how many there are of each kind, and the chance of each to be drawn and to vote. */
export type Bench = { honest: number; hostile: number; honestChance: number; hostileChance: number }

/** How jurors vote. Of the honest ones a share sees a difference, and a share votes for another result than the accused's. */
export type Behaviour = {
  differs: number
  against: number
  unavailable: number
  hostile: 'against' | 'differs' | 'agree'
}

export type Network = { operators: number; hostileShare: number; isAccusedHostile: boolean; attendance: number }

/** The bench of a network of equal stakes. The hostile ones always attend; the accused sits in no jury. */
export function benchOf({ operators, hostileShare, isAccusedHostile, attendance }: Network, jurySize: number): Bench {
  const hostile = Math.floor(operators * hostileShare + 1e-9)
  const drawn = Math.min(1, jurySize / operators)
  return {
    honest: Math.max(0, operators - hostile - (isAccusedHostile ? 0 : 1)),
    hostile: Math.max(0, hostile - (isAccusedHostile ? 1 : 0)),
    honestChance: drawn * attendance,
    hostileChance: drawn,
  }
}

/** The exact chances of one jury's verdicts. */
export function juryChances(bench: Bench, behaviour: Behaviour, minimumVotes: number): Chances {
  const chances = noChances()
  const hostile = binomial(bench.hostile, bench.hostileChance)
  for (const [honestSeats, seated] of binomial(bench.honest, bench.honestChance).entries()) {
    for (const { tally, chance } of honestTallies(honestSeats, behaviour)) {
      for (const [hostileSeats, alsoSeated] of hostile.entries()) {
        const verdict = verdictOf(withHostile(tally, hostileSeats, behaviour), minimumVotes)
        chances[verdict] += seated * chance * alsoSeated
      }
    }
  }
  return chances
}

/** A case: the second jury sits only when the first convicts, and what it says then holds. */
export function caseChances(jury: Chances): Chances {
  const chances = noChances()
  for (const verdict of verdicts)
    chances[verdict] = verdict === 'convicted' ? jury.convicted ** 2 : jury[verdict] * (1 + jury.convicted)
  return chances
}

/** Plays one case after the other by chance, for holding the exact figures against. */
export function createCourt(bench: Bench, behaviour: Behaviour, minimumVotes: number): (random: Random) => Verdict {
  const drawHonest = sampler(binomial(bench.honest, bench.honestChance))
  const drawHostile = sampler(binomial(bench.hostile, bench.hostileChance))
  const jury = (random: Random) => {
    const tally = { votes: 0, agree: 0, leading: 0, differs: 0, unavailable: 0 }
    for (let seats = drawHonest(random); seats > 0; seats -= 1) {
      tally.votes += 1
      const at = random()
      if (at < behaviour.differs) tally.differs += 1
      else if (at < behaviour.differs + behaviour.against) tally.leading += 1
      else if (at < behaviour.differs + behaviour.against + behaviour.unavailable) tally.unavailable += 1
      else tally.agree += 1
    }
    return verdictOf(withHostile(tally, drawHostile(random), behaviour), minimumVotes)
  }
  return (random) => {
    const first = jury(random)
    return first === 'convicted' ? jury(random) : first
  }
}

const verdicts: readonly Verdict[] = ['undecided', 'flagged', 'unavailable', 'convicted', 'acquitted', 'hung']

function noChances(): Chances {
  return { undecided: 0, flagged: 0, unavailable: 0, convicted: 0, acquitted: 0, hung: 0 }
}

function withHostile(tally: Tally, seats: number, { hostile }: Behaviour): Tally {
  return {
    ...tally,
    votes: tally.votes + seats,
    agree: tally.agree + (hostile === 'agree' ? seats : 0),
    leading: tally.leading + (hostile === 'against' ? seats : 0),
    differs: tally.differs + (hostile === 'differs' ? seats : 0),
  }
}

/** How the votes of `seats` honest jurors can fall. One difference is as good as many: those are one entry. */
function honestTallies(
  seats: number,
  { differs, against, unavailable }: Behaviour,
): { tally: Tally; chance: number }[] {
  const none = (1 - differs) ** seats
  const entries = [{ tally: { votes: seats, agree: 0, leading: 0, differs: 1, unavailable: 0 }, chance: 1 - none }]
  const rest = 1 - differs
  for (const [leading, first] of binomial(seats, rest === 0 ? 0 : against / rest).entries()) {
    const other = rest - against
    for (const [gone, second] of binomial(seats - leading, other <= 0 ? 0 : unavailable / other).entries()) {
      const tally = { votes: seats, agree: seats - leading - gone, leading, differs: 0, unavailable: gone }
      entries.push({ tally, chance: none * first * second })
    }
  }
  return entries.filter(({ chance }) => chance > 0)
}
