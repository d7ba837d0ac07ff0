import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findDockerEngine } from '@peerhost/devnet'
import { DEFAULT_PARAMETERS, LIMITS_CLASSES } from '@peerhost/protocol'
import { variations } from '@peerhost/runtime'
import { createDockerSandbox, createProcessSandbox, JURY_RUNS, type Sandbox } from '@peerhost/worker'
import { loadCorpus } from './corpus.ts'
import { convictionChance, expectedLoss, rareValueCase, shareThatPays, slashOf } from './incentives.ts'
import { benchOf, caseChances, juryChances } from './jury.ts'
import { type MarketResult, runMarket, strategies } from './market.ts'
import { type Measured, measure } from './measure.ts'
import { createRandom } from './random.ts'
import { detection, isEntropic, riskOf } from './risk.ts'
import { printTable } from './table.ts'

const parameters = DEFAULT_PARAMETERS
const attendance = 0.95
const networkSizes = [10, 30, 100, 1_000]
const fees = LIMITS_CLASSES.map(({ fee }) => Number(fee) / 1_000_000)
const largestFee = Math.max(...fees)
const smallestFee = Math.min(...fees)
const trials = 400_000
const marketRounds = 12
/** After this a slow machine gets fewer jurors, and wider intervals. */
const corpusMs = 1_200_000
const random = createRandom(20_261_121)

/** The corpus on the real runtime, then what follows for juries, challengers and liars with the default parameters. */
export async function run(): Promise<Record<string, number>> {
  const measured = await measureCorpus()
  return {
    ...reportCorpus(measured),
    ...reportRisks(measured),
    ...reportRarity(),
    ...reportMarket(),
    ...reportShares(),
  }
}

async function measureCorpus(): Promise<Measured[]> {
  const directory = await mkdtemp(join(tmpdir(), 'peerhost-economics-'))
  const sandbox = await openSandbox(directory)
  try {
    const endsAtMs = performance.now() + corpusMs
    const waiting = loadCorpus()
    const measured: Measured[] = []
    const clerk = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const isEntropy = next.kind === 'entropy'
        const isLate = performance.now() > endsAtMs
        const counts = {
          ordinaryRuns: isEntropy ? 12 : 4,
          runsPerVariation: isLate ? 0 : isEntropy ? 2 : 1,
          jurors: isEntropy ? 30 : 2,
        }
        const limits = { withinMs: isLate ? 0 : 10_000, leastJurors: 16, endsAtMs }
        measured.push(await measure(sandbox, next, { ...counts, ...limits }))
      }
    }
    await Promise.all([clerk(), clerk()])
    return measured.sort((a, b) => (a.kind + a.name < b.kind + b.name ? -1 : 1))
  } finally {
    await sandbox.close()
    await rm(directory, { recursive: true, force: true })
  }
}

async function openSandbox(directory: string): Promise<Sandbox> {
  const engine = await findDockerEngine()
  const options = { directory, slots: 2, maxContainers: 3 }
  if (engine.status !== 'ready') return createProcessSandbox(options)
  return createDockerSandbox({ ...options, owner: 'bench-economics', socketPath: engine.socketPath })
}

function reportCorpus(measured: readonly Measured[]): Record<string, number> {
  printTable(
    `Corpus on the real runtime: results of ordinary runs, distinct results per variation (1–${variations.length - 1}), and ${JURY_RUNS} runs of each juror`,
    ['function', 'ordinary', 'P(rare)', 'per variation', 'jurors', 'differs', 'none', 'sees ≥ (99 %)'],
    measured.map((one) => {
      const runs = one.ordinary.reduce((sum, count) => sum + count, 0)
      const rare = runs === 0 ? 0 : 1 - (one.ordinary[0] ?? 0) / runs
      return [
        one.name,
        `${one.ordinary.join('+')}${one.exhausted > 0 ? ` (${one.exhausted} ended)` : ''}`,
        rare.toFixed(2),
        one.distinct.slice(1).join(' '),
        one.jurors,
        one.differs,
        one.unavailable,
        isEntropic(one) ? detection(one).atLeast.toFixed(2) : '-',
      ]
    }),
  )
  const of = (kind: Measured['kind']) => measured.filter((one) => one.kind === kind)
  return {
    controlFunctions: of('controls').length,
    controlsThatDiffer: of('controls').filter(isEntropic).length,
    entropyFunctions: of('entropy').length,
    entropyThatDiffers: of('entropy').filter(isEntropic).length,
    jurorSeesAtLeast: round(Math.min(...measured.filter(isEntropic).map((one) => detection(one).atLeast))),
  }
}

function reportRisks(measured: readonly Measured[]): Record<string, number> {
  const rows: (string | number)[][] = []
  let [slashed, atMost, chanceAtMost, profit, profitAtMost] = [0, 0, 0, -Infinity, -Infinity]
  for (const one of measured) {
    if (one.kind === 'controls' && !isEntropic(one)) continue
    for (const operators of networkSizes) {
      const risk = riskOf(one, { parameters, operators, attendance, trials, random })
      slashed = Math.max(slashed, risk.slashed)
      atMost = Math.max(atMost, risk.slashedAtMost)
      chanceAtMost = Math.max(chanceAtMost, risk.hitsAtMost)
      profit = Math.max(profit, risk.profit)
      profitAtMost = Math.max(profitAtMost, risk.profitHigh)
      const range = `${risk.profitLow.toFixed(2)} … ${risk.profitHigh.toFixed(2)}`
      const exact = [risk.slashed.toExponential(1), risk.slashedAtMost.toExponential(1)]
      rows.push([
        one.name,
        operators,
        ...exact,
        risk.hits,
        risk.hitsAtMost.toExponential(1),
        risk.profit.toFixed(2),
        range,
      ])
    }
  }
  printTable(
    `A third hostile, an honest worker challenged: P(slash) per challenge, exact and in ${trials} trials, and the challenger's profit in USDC`,
    ['function', 'operators', 'exact', 'exact ≤ (99 %)', 'trials slashed', '≤ (99 %)', 'profit', 'profit (99 %)'],
    rows,
  )
  const deterministic = networkSizes.map((operators) => {
    const network = { operators, hostileShare: 1 / 3, isAccusedHostile: false, attendance }
    const votes = { differs: 0, against: 0, unavailable: 0, hostile: 'against' as const }
    return caseChances(juryChances(benchOf(network, parameters.jurySize), votes, parameters.minimumVotes)).convicted
  })
  return {
    slashOfHonest: small(slashed),
    slashOfHonestAtMost: small(atMost),
    slashOfHonestInTrialsAtMost: small(chanceAtMost),
    slashOfHonestDeterministic: small(Math.max(...deterministic)),
    challengerProfit: round(profit),
    challengerProfitAtMost: round(profitAtMost),
  }
}

/** Functions that nobody measured: an invented rarity that no condition changes. */
function reportRarity(): Record<string, number> {
  const setting = { operators: 1_000, attendance }
  const caseOf = (rarity: number) =>
    rareValueCase(parameters, setting, { hostileShare: 1 / 3, differs: 1 - (1 - rarity) ** JURY_RUNS })
  const costOf = (rarity: number) => smallestFee / rarity
  const exponents = Array.from({ length: 91 }, (_, step) => -5 + step * 0.05)
  printTable(
    'An invented function whose result is rare under every condition (1,000 operators, a third hostile): what no jury can see',
    ['P(rare)', 'P(slash)', 'profit', 'fees to find it'],
    [0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-5].map((rarity) => [
      rarity,
      caseOf(rarity).slashed.toExponential(1),
      (caseOf(rarity).profit - costOf(rarity)).toFixed(2),
      costOf(rarity).toFixed(4),
    ]),
  )
  const best = Math.max(...exponents.map((e) => caseOf(10 ** e).profit - costOf(10 ** e)))
  const safe = exponents.find((e) => caseOf(10 ** e).slashed <= 1e-4)
  return {
    rarityThatJuriesSee: safe === undefined ? 1 : Number((10 ** safe).toPrecision(2)),
    rareValueBestProfit: round(best),
  }
}

function reportMarket(): Record<string, number> {
  const shares = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5]
  const requests = 20_000
  const keys: Record<string, number> = {}
  const common = { operators: 40, requests, fee: largestFee, cost: largestFee / 2, cacheHit: 0.5, attendance }
  const rows = strategies.flatMap((strategy) =>
    shares.map((share) => {
      const rounds = Array.from({ length: marketRounds }, () =>
        runMarket({ ...common, strategy, share, parameters, random }),
      )
      const mean = (pick: (result: MarketResult) => number) =>
        rounds.reduce((sum, result) => sum + pick(result), 0) / marketRounds
      if (share === 0.2) keys[`${strategy}Profit20`] = round(mean((result) => result.strategy))
      const money = [mean((result) => result.strategy).toFixed(2), mean((result) => result.honest).toFixed(2)]
      const counts = [
        mean((result) => result.lies),
        mean((result) => result.audited),
        mean((result) => result.convicted),
      ]
      return [strategy, `${share * 100} %`, ...money, ...counts.map((count) => count.toFixed(1))]
    }),
  )
  printTable(
    `${requests} requests at the largest fee (${largestFee} USDC), 40 operators, mean of ${marketRounds} rounds: USDC per operator`,
    ['strategy', 'share', 'its profit', 'honest profit', 'lies', 'audits', 'convicted'],
    rows,
  )
  return keys
}

function reportShares(): Record<string, number> {
  const rows: (string | number)[][] = []
  for (const operators of networkSizes) {
    const setting = { operators, attendance }
    const pays = (gain: number) => `${shareThatPays(parameters, setting, gain)} %`
    rows.push([operators, pays(smallestFee), pays(largestFee), pays(3 * largestFee)])
  }
  printTable(
    'Share of stake from which a lie pays, if it gains a whole fee: smallest fee, largest fee, three times the largest',
    ['operators', `gain ${smallestFee}`, `gain ${largestFee}`, `gain ${(3 * largestFee).toFixed(4)}`],
    rows,
  )
  const setting = { operators: 1_000, attendance }
  const sweep: (string | number)[][] = []
  for (const [jurySize, minimumVotes] of [
    [6, 5],
    [8, 5],
    [8, 6],
    [10, 6],
    [12, 6],
    [16, 8],
  ] as const) {
    for (const auditRateBps of [100, 200, 500]) {
      for (const slashBps of [2_500, 5_000, 10_000]) {
        const changed = { ...parameters, jurySize, minimumVotes, auditRateBps, slashBps }
        const lone = convictionChance(changed, setting, 0.001)
        const honest = rareValueCase(changed, setting, { hostileShare: 1 / 3, differs: 0.8 }).slashed
        const terms = [jurySize, minimumVotes, `${auditRateBps / 100} %`, `${slashBps / 100} %`]
        const pays = [
          `${shareThatPays(changed, setting, largestFee)} %`,
          `${shareThatPays(changed, setting, 3 * largestFee)} %`,
        ]
        sweep.push([...terms, lone.toFixed(2), honest.toExponential(1), ...pays])
      }
    }
  }
  printTable(
    'Other parameters, 1,000 operators (P(slash) of an honest worker: a third hostile, jurors that see a difference in 80 %)',
    [
      'jury',
      'least votes',
      'audits',
      'slash',
      'P(lone liar convicted)',
      'P(honest slashed)',
      'pays from',
      '3 fees from',
    ],
    sweep,
  )
  const least = (gain: number) =>
    Math.min(...networkSizes.map((n) => shareThatPays(parameters, { operators: n, attendance }, gain)))
  return {
    slash: slashOf(parameters),
    lossPerLieOverLargestFee: round(expectedLoss(parameters, setting, 0.001) / largestFee),
    cheatingPaysFromPercent: least(largestFee),
    cheatingPaysFromPercentSmallestFee: least(smallestFee),
  }
}

function round(value: number): number {
  return Number(value.toFixed(4))
}

function small(value: number): number {
  return Number(value.toPrecision(2))
}
