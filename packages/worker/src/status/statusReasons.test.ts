import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type LocalStanding, type StatusFacts, statusReasonCodes, statusReasons } from './statusReasons.ts'
import type { WorkerSnapshot } from './workerSnapshot.ts'

const now = 1_800_000_000
const operator = `0x${'a1'.repeat(20)}` as const
const executionKey = `0x${'b2'.repeat(20)}` as const
const gateway = 'wss://gateway.example/v1/worker'

const snapshot: WorkerSnapshot = {
  operator,
  executionKey,
  state: 'running',
  startedAt: now - 3_600,
  operatorActive: true,
  capacity: 4,
  running: 1,
  owed: 0,
  gateways: [{ url: gateway, connected: true }],
  attested: 10,
  settled: 10,
  unpaid: 0,
  lastAcceptedAt: now - 5,
  declined: [],
}
const answering = {
  type: 'answers',
  endpoint: 'wss://one',
  chainId: 1,
  head: 100n,
  timestamp: now - 2,
  tookMs: 9,
} as const
const local: LocalStanding = {
  executionKey,
  gateways: [gateway],
  chainId: 1,
  endpoints: [answering],
  gas: { address: executionKey, balance: 1n },
  snapshot,
  engine: undefined,
}
const healthy = {
  nowSeconds: now,
  view: {
    operator,
    status: 'active',
    executionKey,
    statusSince: now - 9_000,
    capacity: 4,
    openCases: 0,
    stake: 100n,
    earnings: 0n,
    courtBalance: 0n,
    minimumStake: 100n,
  },
  seats: { epoch: 7, seedCaptured: true, stakeCounted: 100n, totalStake: 300n, operatorCount: 3, committeeSize: 8 },
  local,
} as const satisfies StatusFacts

type Changes = {
  view?: Partial<StatusFacts['view']>
  seats?: Partial<StatusFacts['seats']>
  local?: Partial<LocalStanding>
  snapshot?: Partial<WorkerSnapshot>
}

function reasonsOf({ view, seats, local: more, snapshot: running }: Changes) {
  return statusReasons({
    ...healthy,
    view: { ...healthy.view, ...view },
    seats: { ...healthy.seats, ...seats },
    local: { ...local, ...(running ? { snapshot: { ...snapshot, ...running } } : {}), ...more },
  })
}

const drawn = { operatorCount: 30, totalStake: 3_000n }
const none = `0x${'00'.repeat(20)}` as const

describe('the reasons of a status', () => {
  it('are none when all is well', () => {
    expect(statusReasons(healthy)).toEqual([])
  })

  const rows: [string, Changes][] = [
    ['not-registered stops', { view: { status: 'none' } }],
    ['withdrawn stops', { view: { status: 'withdrawn' } }],
    ['unbonding stops', { view: { status: 'unbonding', withdrawableAt: now + 60 } }],
    ['jailed stops', { view: { status: 'jailed', jailedUntil: now + 60 } }],
    ['draining stops', { view: { status: 'draining' } }],
    ['open-cases limits', { view: { openCases: 2 } }],
    ['execution-key-missing stops', { view: { executionKey: none } }],
    ['execution-key-differs stops', { local: { executionKey: operator } }],
    ['stake-below-minimum stops', { view: { stake: 99n } }],
    ['stake-not-counted tells', { seats: { stakeCounted: 0n, countsFrom: { epoch: 9, atSeconds: now + 60 } } }],
    ['stake-not-counted stops', { seats: { ...drawn, stakeCounted: 0n } }],
    ['seed-not-captured stops, seats-drawn tells', { seats: { ...drawn, seedCaptured: false } }],
    ['seats-drawn tells', { seats: drawn }],
    ['rpc-away stops', { local: { endpoints: [{ type: 'away', endpoint: 'x', problem: 'refused' }] } }],
    ['rpc-away limits', { local: { endpoints: [answering, { type: 'away', endpoint: 'x', problem: 'refused' }] } }],
    ['rpc-wrong-chain stops', { local: { endpoints: [{ ...answering, chainId: 2 }] } }],
    ['rpc-behind limits', { local: { endpoints: [answering, { ...answering, head: 1n, timestamp: now - 300 }] } }],
    ['rpc-behind limits', { local: { endpoints: [{ ...answering, timestamp: now - 300 }] } }],
    ['clock-skew stops', { local: { endpoints: [{ ...answering, timestamp: now + 31 }] } }],
    ['no-gas limits', { local: { gas: { address: executionKey, balance: 0n } } }],
    ['worker-away stops', { local: { snapshot: undefined } }],
    ['worker-away stops, engine-away stops', { local: { snapshot: undefined, engine: 'away' } }],
    ['worker-away stops, image-missing tells', { local: { snapshot: undefined, engine: 'image-missing' } }],
    ['worker-draining stops', { snapshot: { state: 'draining' } }],
    ['no-gateway-named stops', { local: { gateways: [] } }],
    [
      'no-gateway-connected stops',
      { snapshot: { gateways: [{ url: gateway, connected: false, problem: 'refused' }] } },
    ],
    ['gateway-away limits', { snapshot: { gateways: [...snapshot.gateways, { url: 'wss://two', connected: false }] } }],
    ['capacity-full limits', { snapshot: { running: 4 } }],
    ['declining limits', { snapshot: { declined: [{ reason: 'not-seated', count: 3, lastAt: now - 5 }] } }],
    ['no-demand tells', { snapshot: { lastAcceptedAt: now - 700 } }],
    ['seats-drawn tells, no-seat-lately tells', { seats: drawn, snapshot: { lastAcceptedAt: now - 700 } }],
    ['unpaid limits', { snapshot: { unpaid: 1 } }],
    ['settlement-waiting tells', { snapshot: { owed: 2 } }],
    ['earnings-waiting tells', { view: { earnings: 1n } }],
    ['earnings-waiting tells', { view: { courtBalance: 1n } }],
    [
      'last-error limits',
      { snapshot: { lastError: { during: 'own settlement', message: 'It failed.', at: now - 5 } } },
    ],
  ]

  it.each(rows)('%s', (expected, changes) => {
    expect(
      reasonsOf(changes)
        .map(({ code, effect }) => `${code} ${effect}`)
        .join(', '),
    ).toBe(expected)
  })

  it('are all shown above, and each is explained to operators', () => {
    const shown = new Set(rows.flatMap(([name]) => name.split(', ').map((part) => part.split(' ')[0])))
    expect([...shown].sort()).toEqual([...statusReasonCodes].sort())
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/operating-a-worker.md'), 'utf8')
    const explained = [...page.matchAll(/^\| `([a-z-]+)` \| (?:stops|limits|tells)/gm)].map((match) => match[1])
    expect([...explained].sort()).toEqual([...statusReasonCodes].sort())
  })

  it('say until when and what next, and the share of seats', () => {
    const [jailed] = reasonsOf({ view: { status: 'jailed', jailedUntil: now } })
    expect(jailed?.text).toContain('worker release')
    const [share] = reasonsOf({ seats: drawn })
    expect(share?.text).toContain('about 26.6 %')
  })

  it('of another machine’s operator are those of the chain alone', () => {
    expect(statusReasons({ ...healthy, local: undefined })).toEqual([])
  })
})
