import type { Address, Hex } from 'viem'
import type { Authorization } from '../peerHostPort.ts'
import type { LedgerEntry } from './ledgerEntry.ts'

/**
 * `reserved` nothing signed yet · `signed` an authorization exists · `unknown` it may or may not have been charged ·
 * `unsettled` the gateway says it was not charged, the chain has not proved it yet · `settled` charged · `released` never will be.
 */
export type CallStatus = 'reserved' | 'signed' | 'unknown' | 'unsettled' | 'settled' | 'released'

/** The money of one call. It counts against every limit until it is `released`. */
export type SpendRecord = {
  callId: string
  callKey: string
  process: string
  functionId: Hex
  provider: Address
  network: string
  asset: Address
  payTo: Address
  amount: bigint
  /** UTC day of the reservation: the day whose limit it uses. */
  day: string
  reservedAt: number
  status: CallStatus
  reason?: string
  authorization?: Authorization
  transaction?: Hex
  settledAt?: number
}

/** Everything the ledger says, folded. Totals hold what is spent or may still be spent. */
export type SpendState = {
  lastAt: number
  calls: Map<string, SpendRecord>
  order: SpendRecord[]
  latestByKey: Map<string, SpendRecord>
  perDay: Map<string, bigint>
  perProcess: Map<string, bigint>
  perProviderDay: Map<string, bigint>
  denied: number
}

/** The state of an empty ledger. */
export function emptyState(): SpendState {
  return {
    lastAt: 0,
    calls: new Map(),
    order: [],
    latestByKey: new Map(),
    perDay: new Map(),
    perProcess: new Map(),
    perProviderDay: new Map(),
    denied: 0,
  }
}

/** The UTC day of a time in milliseconds, `2026-11-21`. */
export function utcDay(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10)
}

/** The key of a provider's total of one day. */
export function providerDayKey(provider: Address, day: string): string {
  return `${provider.toLowerCase()} ${day}`
}

/** Applies one entry in place. Returns false for an entry that the state does not allow: the ledger is then not ours. */
export function applyEntry(state: SpendState, entry: LedgerEntry): boolean {
  state.lastAt = entry.at
  const { event } = entry
  if (event.type === 'deny') {
    state.denied += 1
    return true
  }
  if (event.type === 'reserve') return applyReserve(state, entry, event)
  const call = state.calls.get(event.callId)
  if (!call || !mayFollow(call.status, event.type)) return false
  switch (event.type) {
    case 'sign':
      call.status = 'signed'
      call.authorization = {
        ...event.authorization,
        value: BigInt(event.authorization.value),
        validAfter: BigInt(event.authorization.validAfter),
        validBefore: BigInt(event.authorization.validBefore),
      }
      return true
    case 'settle':
      call.status = 'settled'
      call.settledAt = entry.at
      if (event.transaction) call.transaction = event.transaction
      return true
    case 'release':
      call.status = 'released'
      call.reason = event.reason
      addTotals(state, call, -call.amount)
      return true
    default:
      call.status = event.type
      call.reason = event.reason
      return true
  }
}

/** True when an event of this type may happen to a call in this status. */
export function mayFollow(
  status: CallStatus,
  type: Exclude<LedgerEntry['event']['type'], 'reserve' | 'deny'>,
): boolean {
  return allowed[type].includes(status)
}

const allowed: Record<'sign' | 'settle' | 'unsettled' | 'unknown' | 'release', readonly CallStatus[]> = {
  sign: ['reserved'],
  settle: ['signed', 'unknown', 'unsettled'],
  unsettled: ['signed', 'unknown'],
  unknown: ['signed'],
  release: ['reserved', 'signed', 'unknown', 'unsettled'],
}

function applyReserve(
  state: SpendState,
  entry: LedgerEntry,
  event: Extract<LedgerEntry['event'], { type: 'reserve' }>,
): boolean {
  if (state.calls.has(event.callId)) return false
  const { type: _, ...facts } = event
  const call: SpendRecord = {
    ...facts,
    amount: BigInt(event.amount),
    process: entry.process,
    day: utcDay(entry.at),
    reservedAt: entry.at,
    status: 'reserved',
  }
  state.calls.set(call.callId, call)
  state.order.push(call)
  state.latestByKey.set(call.callKey, call)
  addTotals(state, call, call.amount)
  return true
}

function addTotals(state: SpendState, call: SpendRecord, amount: bigint): void {
  const add = (totals: Map<string, bigint>, key: string) => totals.set(key, (totals.get(key) ?? 0n) + amount)
  add(state.perDay, call.day)
  add(state.perProcess, call.process)
  add(state.perProviderDay, providerDayKey(call.provider, call.day))
}
