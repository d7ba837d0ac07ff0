import type { ProtocolParameters } from '@peerhost/protocol'
import { slashOf } from './incentives.ts'
import { verdictOf } from './jury.ts'
import type { Random } from './random.ts'

/**
 * honest: runs the function. lazy: answers from a cache, alone. colluding: the same, and its coalition never tells in audits
 * and says "differs" in juries. copying: waits for another's answer.
 */
export const strategies = ['honest', 'lazy', 'copying', 'colluding'] as const
export type Strategy = (typeof strategies)[number]

export type MarketOptions = {
  operators: number
  /** Share of the operators, and so of the stake, that follows `strategy`; the others are honest. */
  strategy: Strategy
  share: number
  requests: number
  /** Fee of a request and what running the function costs the worker, in tokens. */
  fee: number
  cost: number
  /** Chance that an answer from the cache happens to be right. */
  cacheHit: number
  attendance: number
  parameters: ProtocolParameters
  random: Random
}

/** Tokens per operator, over the whole run. */
export type MarketResult = { strategy: number; honest: number; lies: number; audited: number; convicted: number }

type Operator = { strategy: Strategy; money: number; isJailed: boolean }

const answeringFromCacheCosts = 0.02
const auditorSeats = 2

/** Requests through the attested lane with quorum 1: seats, the first answer, the fee, audits, juries, slashes. */
export function runMarket(options: MarketOptions): MarketResult {
  const { operators, share, strategy, requests } = options
  const many = Math.floor(operators * share + 1e-9)
  const all: Operator[] = Array.from({ length: operators }, (_, index) => ({
    strategy: index < many ? strategy : 'honest',
    money: 0,
    isJailed: false,
  }))
  const counts = { lies: 0, audited: 0, convicted: 0 }
  for (let request = 0; request < requests; request += 1) serve(options, all, counts)
  const mean = (group: Operator[]) => group.reduce((sum, { money }) => sum + money, 0) / Math.max(1, group.length)
  return { strategy: mean(all.slice(0, many)), honest: mean(all.slice(many)), ...counts }
}

function serve(options: MarketOptions, all: Operator[], counts: Omit<MarketResult, 'strategy' | 'honest'>): void {
  const { random, parameters, fee, cost, cacheHit } = options
  const seated = drawn(all, parameters.committeeSize, random)
  // Whoever does not run the function is faster. Whoever waits for a result to copy comes too late: the first one is paid.
  const fast = seated.filter(({ strategy }) => strategy === 'lazy' || strategy === 'colluding')
  const able = fast.length > 0 ? fast : seated.filter(({ strategy }) => strategy === 'honest')
  const worker = able[Math.floor(random() * able.length)]
  if (!worker) return
  const isHonest = worker.strategy === 'honest'
  worker.money += fee * (1 - parameters.protocolFeeBps / 10_000) - cost * (isHonest ? 1 : answeringFromCacheCosts)
  const isWrong = !isHonest && random() >= cacheHit
  if (isWrong) counts.lies += 1
  if (random() * 10_000 >= parameters.auditRateBps) return
  counts.audited += 1
  const auditors = drawn(all, auditorSeats, random).filter((operator) => operator !== worker)
  const [first] = auditors.filter(({ strategy }) => strategy !== 'honest' || random() < options.attendance)
  if (first) first.money += fee - (first.strategy === 'honest' ? cost : 0)
  if (!isWrong) return
  const tells = auditors.some(({ strategy }) => strategy === 'honest' && random() < options.attendance)
  if (!tells || !isConvicted(options, all, worker)) return
  counts.convicted += 1
  worker.money -= slashOf(parameters)
  worker.isJailed = true
}

/** Two juries on a lie. Honest jurors all get the right result. */
function isConvicted(options: MarketOptions, all: Operator[], accused: Operator): boolean {
  const { parameters, random, attendance } = options
  const paid: Operator[] = []
  for (let jury = 0; jury < 2; jury += 1) {
    const jurors = drawn(all, parameters.jurySize, random).filter((operator) => operator !== accused)
    const tally = { votes: 0, agree: 0, leading: 0, differs: 0, unavailable: 0 }
    for (const juror of jurors) {
      const isAlly = juror.strategy === 'colluding' && accused.strategy === 'colluding'
      if (!isAlly && random() >= attendance) continue
      tally.votes += 1
      if (isAlly) tally.differs += 1
      else tally.leading += 1
      if (!isAlly) paid.push(juror)
    }
    if (verdictOf(tally, parameters.minimumVotes) !== 'convicted') return false
  }
  for (const juror of paid) juror.money += Number(parameters.jurorFee) / 1_000_000
  return true
}

/** Every operator that is in office, each with the chance that its stake gives it. */
function drawn(all: readonly Operator[], size: number, random: Random): Operator[] {
  const active = all.filter(({ isJailed }) => !isJailed)
  if (active.length <= size) return active
  const chance = size / active.length
  return active.filter(() => random() < chance)
}
