import { LIMITS, sameHex } from '@peerhost/protocol'
import { type Address, zeroAddress } from 'viem'
import type { EndpointProbe } from '../chain/probeEndpoints.ts'
import type { OperatorView } from '../operator.ts'
import type { WorkerSnapshot } from './workerSnapshot.ts'

/** Why no job or no reward comes. `docs/operating-a-worker.md` says what to do about each. */
export const statusReasonCodes = [
  'not-registered',
  'withdrawn',
  'unbonding',
  'jailed',
  'draining',
  'execution-key-missing',
  'execution-key-differs',
  'stake-below-minimum',
  'stake-not-counted',
  'seed-not-captured',
  'open-cases',
  'rpc-away',
  'rpc-wrong-chain',
  'rpc-behind',
  'clock-skew',
  'no-gas',
  'worker-away',
  'worker-draining',
  'engine-away',
  'image-missing',
  'no-gateway-named',
  'no-gateway-connected',
  'gateway-away',
  'capacity-full',
  'declining',
  'seats-drawn',
  'no-seat-lately',
  'no-demand',
  'unpaid',
  'settlement-waiting',
  'earnings-waiting',
  'last-error',
] as const
export type StatusReasonCode = (typeof statusReasonCodes)[number]

/** `stops`: nothing comes while it holds. `limits`: less comes. `tells`: nothing is wrong. */
export type StatusReason = { code: StatusReasonCode; effect: 'stops' | 'limits' | 'tells'; text: string }

/** What the epoch says of an operator's seats. */
export type SeatStanding = {
  epoch: number
  seedCaptured: boolean
  stakeCounted: bigint
  /** The first epoch in which stake counts, when it is none yet. */
  countsFrom?: { epoch: number; atSeconds: number } | undefined
  totalStake: bigint
  operatorCount: number
  committeeSize: number
}

/** What this machine knows; absent where another operator is looked at. */
export type LocalStanding = {
  executionKey: Address | undefined
  gateways: readonly string[]
  chainId: number
  endpoints: readonly EndpointProbe[]
  /** Who pays for the gas of this worker's own transactions. */
  gas: { address: Address; balance: bigint } | undefined
  /** Absent: the worker does not answer on its metrics port. */
  snapshot: WorkerSnapshot | undefined
  /** Looked at only where the worker does not run. */
  engine: 'ready' | 'image-missing' | 'away' | undefined
}

export type StatusFacts = {
  nowSeconds: number
  view: OperatorView
  seats: SeatStanding
  local: LocalStanding | undefined
}

type Reasons = StatusReason[]

const behindSeconds = 60
const quietSeconds = 600
const recentSeconds = 600

/** Every reason that holds, the ones that stop everything first. Pure: the whole status is this table. */
export function statusReasons(facts: StatusFacts): StatusReason[] {
  const { local, view, seats, nowSeconds } = facts
  const reasons = [
    ...ofOperator(view, nowSeconds),
    ...ofSeats(facts),
    ...(local ? [...ofKey(local, view), ...ofChain(local, nowSeconds), ...ofProcess(local)] : []),
    ...(local?.snapshot ? ofJobs(local.snapshot, seats, nowSeconds) : []),
    ...ofMoney(view),
  ]
  const order = { stops: 0, limits: 1, tells: 2 }
  return reasons.sort((one, other) => order[one.effect] - order[other.effect])
}

function ofOperator(view: OperatorView, nowSeconds: number): Reasons {
  const { status, withdrawableAt = 0, jailedUntil = 0, openCases } = view
  const stops = (code: StatusReasonCode, text: string): StatusReason => ({ code, effect: 'stops', text })
  const open: Reasons =
    openCases > 0 ? [{ code: 'open-cases', effect: 'limits', text: `${openCases} disputes hold the stake.` }] : []
  if (status === 'none') return [stops('not-registered', 'No operator is registered: peerhost worker stake.')]
  if (status === 'withdrawn') return [stops('withdrawn', 'The operator has left: peerhost worker stake begins again.')]
  if (status === 'unbonding') {
    const when = withdrawableAt <= nowSeconds ? 'now' : `from ${date(withdrawableAt)}`
    return [stops('unbonding', `The operator is leaving; its stake is free ${when}: peerhost worker unstake.`), ...open]
  }
  if (status === 'jailed') {
    const next = jailedUntil <= nowSeconds ? 'Its time is over' : `Until ${date(jailedUntil)}`
    return [stops('jailed', `The operator is jailed. ${next}: then peerhost worker release --new.`), ...open]
  }
  if (status === 'draining')
    return [stops('draining', 'The operator drains on chain: peerhost worker drain --resume.'), ...open]
  return open
}

function ofSeats({ view, seats }: StatusFacts): Reasons {
  const { epoch, seedCaptured, stakeCounted, countsFrom, totalStake, operatorCount, committeeSize } = seats
  const drawn = operatorCount > committeeSize
  const reasons: Reasons = []
  if (view.status !== 'active') return reasons
  if (view.stake < view.minimumStake)
    reasons.push({
      code: 'stake-below-minimum',
      effect: 'stops',
      text: `The stake is below the minimum by ${view.minimumStake - view.stake} atomic units: peerhost worker stake <tokens>.`,
    })
  if (stakeCounted === 0n) {
    const until = countsFrom
      ? `from epoch ${countsFrom.epoch} (${date(countsFrom.atSeconds)})`
      : 'two epochs after it was staked'
    const text = `The stake counts for drawn seats ${until}.`
    return [...reasons, { code: 'stake-not-counted', effect: drawn ? 'stops' : 'tells', text }]
  }
  if (!drawn) return reasons
  if (!seedCaptured)
    reasons.push({
      code: 'seed-not-captured',
      effect: 'stops',
      text: `The seed of epoch ${epoch} is not captured: nobody has a drawn seat until somebody does it.`,
    })
  const share = Number((stakeCounted * BigInt(committeeSize) * 1_000n) / (totalStake || 1n)) / 10
  reasons.push({
    code: 'seats-drawn',
    effect: 'tells',
    text: `Seats are drawn by stake: about ${Math.min(share, 100)} % of requests come to this operator.`,
  })
  return reasons
}

function ofKey({ executionKey }: LocalStanding, view: OperatorView): Reasons {
  if (['none', 'withdrawn', 'unbonding', 'jailed'].includes(view.status)) return []
  if (view.executionKey === zeroAddress) {
    const text = 'The operator has no execution key: peerhost worker rotate --new.'
    return [{ code: 'execution-key-missing', effect: 'stops', text }]
  }
  if (!executionKey || sameHex(executionKey, view.executionKey)) return []
  const text = `The chain knows execution key ${view.executionKey}, this worker has ${executionKey}: peerhost worker rotate.`
  return [{ code: 'execution-key-differs', effect: 'stops', text }]
}

function ofChain({ endpoints, chainId, gas, executionKey }: LocalStanding, nowSeconds: number): Reasons {
  const answering = endpoints.filter((probe) => probe.type === 'answers')
  const newest = Math.max(0, ...answering.map(({ timestamp }) => timestamp))
  const reasons: Reasons = []
  const alone = answering.length === 0
  for (const probe of endpoints) {
    if (probe.type === 'away') {
      const text = `${probe.endpoint} does not answer: ${probe.problem}`
      reasons.push({ code: 'rpc-away', effect: alone ? 'stops' : 'limits', text })
    } else if (probe.chainId !== chainId) {
      const text = `${probe.endpoint} is of chain ${probe.chainId}, not ${chainId}.`
      reasons.push({ code: 'rpc-wrong-chain', effect: 'stops', text })
    } else if (newest - probe.timestamp > behindSeconds) {
      const text = `${probe.endpoint} is ${newest - probe.timestamp} s behind the others, at block ${probe.head}.`
      reasons.push({ code: 'rpc-behind', effect: 'limits', text })
    }
  }
  const ahead = newest - nowSeconds
  if (!alone && ahead > LIMITS.clockSkewSeconds) {
    const text = `This machine’s clock is ${ahead} s behind the chain: tickets are declined as clock-skew.`
    reasons.push({ code: 'clock-skew', effect: 'stops', text })
  } else if (!alone && -ahead > behindSeconds) {
    const text = `The newest block is ${-ahead} s old: the chain stands, every endpoint is behind, or this clock is ahead.`
    reasons.push({ code: 'rpc-behind', effect: 'limits', text })
  }
  if (gas && gas.balance === 0n) {
    const who = executionKey && sameHex(gas.address, executionKey) ? 'The execution key' : 'The operator'
    const text = `${who} ${gas.address} cannot pay for gas: what no gateway settles stays unpaid.`
    reasons.push({ code: 'no-gas', effect: 'limits', text })
  }
  return reasons
}

function ofProcess({ snapshot, engine, gateways }: LocalStanding): Reasons {
  const stops = (code: StatusReasonCode, text: string): StatusReason => ({ code, effect: 'stops', text })
  if (!snapshot) {
    const away = stops(
      'worker-away',
      'The worker does not run here, or not with this metrics port: peerhost worker start.',
    )
    if (engine === 'away')
      return [away, stops('engine-away', 'The Docker engine does not answer: peerhost worker doctor.')]
    if (engine !== 'image-missing') return [away]
    const text = 'The engine has no runtime image yet: the worker makes it when it starts.'
    return [away, { code: 'image-missing', effect: 'tells', text }]
  }
  if (snapshot.state !== 'running')
    return [stops('worker-draining', `The worker process is ${snapshot.state}: start it again.`)]
  if (gateways.length === 0)
    return [stops('no-gateway-named', 'PEERHOST_GATEWAYS names none: only requests that are posted on chain come.')]
  const away = snapshot.gateways.filter(({ connected }) => !connected)
  const isAlone = away.length === snapshot.gateways.length
  return away.map(({ url, problem }) => ({
    code: isAlone ? 'no-gateway-connected' : 'gateway-away',
    effect: isAlone ? 'stops' : 'limits',
    text: `${url} is not connected${problem ? `: ${problem}` : '.'}`,
  }))
}

function ofJobs(snapshot: WorkerSnapshot, seats: SeatStanding, nowSeconds: number): Reasons {
  const reasons: Reasons = []
  if (snapshot.running >= snapshot.capacity)
    reasons.push({
      code: 'capacity-full',
      effect: 'limits',
      text: `${snapshot.running} of ${snapshot.capacity} slots are taken.`,
    })
  for (const { reason, count, lastAt } of snapshot.declined)
    if (nowSeconds - lastAt < recentSeconds)
      reasons.push({ code: 'declining', effect: 'limits', text: `${count} jobs were declined: ${reason}.` })
  const quietFor = nowSeconds - Math.max(snapshot.lastAcceptedAt ?? 0, snapshot.startedAt)
  if (quietFor > quietSeconds && snapshot.declined.every(({ lastAt }) => nowSeconds - lastAt >= recentSeconds)) {
    const minutes = Math.floor(quietFor / 60)
    const isDrawn = seats.operatorCount > seats.committeeSize
    reasons.push(
      isDrawn
        ? {
            code: 'no-seat-lately',
            effect: 'tells',
            text: `No seat was drawn, or nobody asked, for ${minutes} minutes.`,
          }
        : { code: 'no-demand', effect: 'tells', text: `Nobody asked for ${minutes} minutes.` },
    )
  }
  if (snapshot.unpaid > 0)
    reasons.push({
      code: 'unpaid',
      effect: 'limits',
      text: `${snapshot.unpaid} requests were run and will not be paid.`,
    })
  if (snapshot.owed > 0) {
    const text = `${snapshot.owed} requests were run and are not settled yet: gateways first, then this worker itself.`
    reasons.push({ code: 'settlement-waiting', effect: 'tells', text })
  }
  const { lastError } = snapshot
  if (lastError && nowSeconds - lastError.at < recentSeconds)
    reasons.push({ code: 'last-error', effect: 'limits', text: `${lastError.during}: ${lastError.message}` })
  return reasons
}

function ofMoney({ earnings, courtBalance }: OperatorView): Reasons {
  const reasons: Reasons = []
  if (earnings > 0n)
    reasons.push({ code: 'earnings-waiting', effect: 'tells', text: 'Earnings wait: peerhost worker withdraw.' })
  if (courtBalance > 0n)
    reasons.push({
      code: 'earnings-waiting',
      effect: 'tells',
      text: 'The court owes: peerhost worker withdraw --court.',
    })
  return reasons
}

function date(seconds: number): string {
  return new Date(seconds * 1_000).toISOString()
}
