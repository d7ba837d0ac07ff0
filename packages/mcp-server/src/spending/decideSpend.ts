import { type ErrorCode, sameHex } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import { formatMoney } from './money.ts'
import type { PolicyReading, SpendPolicy } from './policy.ts'
import { providerDayKey, type SpendState, utcDay } from './spendState.ts'

/** One payment that someone wants to make. `amount` in atomic units. */
export type SpendRequest = {
  /** Hash of what is asked: two calls with one key are the same call. */
  callKey: string
  functionId: Hex
  /** Whose function it is: the wallet that created it. */
  provider: Address
  network: string
  asset: Address
  payTo: Address
  amount: bigint
  /** The caller's own, tighter limit. */
  maxAmount?: bigint
}

/** Whether the policy allows a payment; if not, which rule forbids it and what the human could do. */
export type SpendDecision =
  | { type: 'allow' }
  | { type: 'deny'; code: ErrorCode; rule: string; reason: string; hint: string }

export type SpendMoment = { nowMs: number; process: string }

/** The whole policy as one pure function. Every sum includes what is only reserved. */
export function decideSpend(
  reading: PolicyReading,
  state: SpendState,
  request: SpendRequest,
  moment: SpendMoment,
): SpendDecision {
  if (reading.type === 'invalid')
    return {
      type: 'deny',
      code: 'config_invalid',
      rule: 'policy',
      reason: `The spending policy ${reading.source} cannot be used: ${reading.problems.join('; ')}.`,
      hint: 'The human who owns the policy file has to repair it; until then nothing is paid.',
    }
  const { policy } = reading
  return forbidden(policy, request) ?? overLimit(policy, state, request, moment) ?? { type: 'allow' }
}

function forbidden(policy: SpendPolicy, request: SpendRequest): SpendDecision | undefined {
  const deny = (rule: string, reason: string): SpendDecision => ({
    type: 'deny',
    code: 'payment_rejected',
    rule,
    reason,
    hint: 'Only the human can change this, in the policy file. Choose another function.',
  })
  const isListed = (list: readonly Address[]) => list.some((one) => sameHex(one, request.provider))
  if (request.amount <= 0n) return deny('amount', 'The amount is not positive.')
  if (!policy.assets.some(({ network, asset }) => network === request.network && sameHex(asset, request.asset)))
    return deny('assets', `The policy does not allow payments with ${request.asset} on ${request.network}.`)
  if (isListed(policy.providers.deny)) return deny('providers.deny', `The policy denies provider ${request.provider}.`)
  if (policy.providers.allow && !isListed(policy.providers.allow))
    return deny('providers.allow', `Provider ${request.provider} is not on the policy's list.`)
  return undefined
}

function overLimit(
  policy: SpendPolicy,
  state: SpendState,
  request: SpendRequest,
  { nowMs, process }: SpendMoment,
): SpendDecision | undefined {
  const day = utcDay(nowMs)
  const providerKey = providerDayKey(request.provider, day)
  const limits: [rule: string, used: bigint, limit: bigint | undefined, period: string][] = [
    ['max_price', 0n, request.maxAmount, 'for this call'],
    ['maxPerCall', 0n, policy.maxPerCall, 'per call'],
    ['maxPerDay', state.perDay.get(day) ?? 0n, policy.maxPerDay, 'per day (UTC)'],
    ['maxPerProcess', state.perProcess.get(process) ?? 0n, policy.maxPerProcess, 'per run of this server'],
    [
      'maxPerProviderPerDay',
      state.perProviderDay.get(providerKey) ?? 0n,
      policy.maxPerProviderPerDay,
      'per provider and day',
    ],
  ]
  for (const [rule, used, limit, period] of limits) {
    if (limit === undefined || used + request.amount <= limit) continue
    return {
      type: 'deny',
      code: 'budget_exceeded',
      rule,
      reason: `${formatMoney(request.amount)} would exceed ${rule}: ${formatMoney(limit)} ${period}, ${formatMoney(used)} used or held.`,
      hint:
        rule === 'max_price'
          ? 'The price is above your own max_price.'
          : 'Only the human can raise this limit, in the policy file. See peer_spending.',
    }
  }
  if (callsSince(state, nowMs - 60_000) < policy.maxCallsPerMinute) return undefined
  return {
    type: 'deny',
    code: 'rate_limited',
    rule: 'maxCallsPerMinute',
    reason: `More than ${policy.maxCallsPerMinute} paid calls per minute.`,
    hint: 'Wait a minute. If calls repeat in a loop, stop.',
  }
}

function callsSince(state: SpendState, sinceMs: number): number {
  let count = 0
  for (let index = state.order.length - 1; index >= 0; index--) {
    if ((state.order[index]?.reservedAt ?? 0) <= sinceMs) break
    count += 1
  }
  return count
}
