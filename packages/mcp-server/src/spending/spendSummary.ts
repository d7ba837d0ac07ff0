import type { Address } from 'viem'
import type { SpendMoment } from './decideSpend.ts'
import type { PolicyReading } from './policy.ts'
import { type SpendRecord, type SpendState, utcDay } from './spendState.ts'

/** What was spent and what may still be. Amounts in millionths of a dollar token; `used` includes what is held. */
export type SpendSummary = {
  day: string
  today: { used: bigint; held: bigint; left: bigint | undefined }
  process: { used: bigint; left: bigint | undefined }
  providersToday: { provider: Address; used: bigint; left: bigint | undefined }[]
  holds: SpendRecord[]
  recent: SpendRecord[]
  denied: number
}

const recentCalls = 20

/** The state as a person wants to read it. */
export function summarize(state: SpendState, reading: PolicyReading, { nowMs, process }: SpendMoment): SpendSummary {
  const policy = reading.type === 'valid' ? reading.policy : undefined
  const left = (limit: bigint | undefined, used: bigint) =>
    limit === undefined ? undefined : limit > used ? limit - used : 0n
  const day = utcDay(nowMs)
  const used = state.perDay.get(day) ?? 0n
  const usedByProcess = state.perProcess.get(process) ?? 0n
  const holds = state.order.filter(({ status }) => status !== 'settled' && status !== 'released')
  const held = holds.filter((call) => call.day === day).reduce((sum, call) => sum + call.amount, 0n)
  const providersToday = [...state.perProviderDay]
    .filter(([key, amount]) => key.endsWith(day) && amount > 0n)
    .map(([key, amount]) => ({
      provider: key.split(' ')[0] as Address,
      used: amount,
      left: left(policy?.maxPerProviderPerDay, amount),
    }))
  return {
    day,
    today: { used, held, left: left(policy?.maxPerDay, used) },
    process: { used: usedByProcess, left: left(policy?.maxPerProcess, usedByProcess) },
    providersToday,
    holds: holds.map((call) => ({ ...call })),
    recent: state.order.slice(-recentCalls).map((call) => ({ ...call })),
    denied: state.denied,
  }
}
