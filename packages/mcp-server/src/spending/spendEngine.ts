import { randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { PeerHostError } from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { Authorization } from '../peerHostPort.ts'
import { decideSpend, type SpendDecision, type SpendRequest } from './decideSpend.ts'
import { type ReleaseLock, tryFileLock } from './fileLock.ts'
import { type Ledger, type LedgerStep, openLedger } from './ledger.ts'
import type { LedgerEvent } from './ledgerEntry.ts'
import { type PolicyReading, readPolicy } from './policy.ts'
import { mayFollow, type SpendRecord, type SpendState } from './spendState.ts'
import { type SpendSummary, summarize } from './spendSummary.ts'

export type SpendEngineDeps = {
  /** Where ledger, locks and process marks are; one directory per wallet, mode 700. */
  directory: string
  policyPath: string | undefined
  nowMs: () => number
}

/** What became of a wish to pay. Only `reserved` may be followed by a signature. */
export type Reservation =
  | { type: 'reserved'; call: SpendRecord }
  /** The same call was paid within the window: its stored result is the answer. */
  | { type: 'replay'; call: SpendRecord }
  /** The same call is under way, or nobody knows yet whether it was charged. */
  | { type: 'blocked'; call: SpendRecord; code: 'payment_in_progress' | 'payment_settlement_unknown' }
  | Extract<SpendDecision, { type: 'deny' }>

/**
 * The only way to money: reserve, then sign, then settle or release. Everything is durable before it is acknowledged, and
 * counts against the limits from the reservation on; so limits may be reached early, but are never exceeded.
 */
export type SpendEngine = {
  reserve: (request: SpendRequest) => Promise<Reservation>
  /** What `reserve` would say, changing nothing. */
  preview: (request: SpendRequest) => Promise<Reservation | { type: 'allow' }>
  /** Must resolve before the signature is made. One authorization per reservation. Throws `conflict` otherwise. */
  recordSignature: (callId: string, authorization: Authorization) => Promise<void>
  settle: (callId: string, transaction?: Hex) => Promise<void>
  /** The gateway says that nothing was charged. Counts until the chain proves it. */
  markUnsettled: (callId: string, reason: string) => Promise<void>
  /** Nobody knows. Counts, and blocks identical calls. */
  markUnknown: (callId: string, reason: string) => Promise<void>
  /** Proved: it never will be charged. */
  release: (callId: string, reason: string) => Promise<void>
  /** The paid or pending call with this key, if it still answers or blocks. */
  find: (callKey: string) => Promise<Extract<Reservation, { type: 'replay' | 'blocked' }> | undefined>
  call: (callId: string) => Promise<SpendRecord | undefined>
  /** Calls whose money is still held. */
  held: () => Promise<SpendRecord[]>
  policy: () => Promise<PolicyReading>
  summary: () => Promise<SpendSummary>
  close: () => void
}

/** Opens the engine of one wallet. Calls of processes that died are sorted out on the way. */
export function createSpendEngine(deps: SpendEngineDeps): SpendEngine {
  const processes = join(deps.directory, 'processes')
  mkdirSync(processes, { recursive: true, mode: 0o700 })
  const process = randomUUID()
  const mark = markProcess(processes, process)
  const ledger = openLedger({ path: join(deps.directory, 'ledger.jsonl'), process, nowMs: deps.nowMs })
  const isAlive = (id: string) => id === process || isProcessAlive(processes, id)
  const policy = () => readPolicy(deps.policyPath)

  const record = (callId: string, event: (call: SpendRecord) => LedgerEvent) =>
    ledger.transact((state) => {
      const call = state.calls.get(callId)
      const next = call && event(call)
      if (!call || !next || next.type === 'reserve' || next.type === 'deny' || !mayFollow(call.status, next.type))
        throw new PeerHostError('conflict', `The call ${callId} is ${call?.status ?? 'not known'}.`)
      return { events: [next], result: undefined }
    })

  return {
    reserve: async (request) => {
      const reading = await policy()
      return ledger.transact((state, nowMs) => reserveStep({ state, nowMs, reading, request, process, isAlive }))
    },
    preview: async (request) => {
      const reading = await policy()
      return ledger.transact((state, nowMs) => ({
        events: [],
        result:
          earlierCall(state, request.callKey, nowMs, reading, isAlive) ??
          decideSpend(reading, state, request, { nowMs, process }),
      }))
    },
    recordSignature: (callId, authorization) =>
      record(callId, (call) => {
        if (authorization.value !== call.amount) throw new PeerHostError('conflict', 'Another amount was reserved.')
        return { type: 'sign', callId, authorization: toJson(authorization) }
      }),
    settle: (callId, transaction) =>
      record(callId, () => ({ type: 'settle', callId, ...(transaction ? { transaction } : {}) })),
    markUnsettled: (callId, reason) => record(callId, () => ({ type: 'unsettled', callId, reason })),
    markUnknown: (callId, reason) => record(callId, () => ({ type: 'unknown', callId, reason })),
    release: (callId, reason) => record(callId, () => ({ type: 'release', callId, reason })),
    find: async (callKey) => {
      const reading = await policy()
      return ledger.transact((state, nowMs) => ({
        events: [],
        result: earlierCall(state, callKey, nowMs, reading, isAlive),
      }))
    },
    call: (callId) => look(ledger, (state) => copy(state.calls.get(callId))),
    held: () => look(ledger, (state) => state.order.filter(isHeld).map((call) => ({ ...call }))),
    policy,
    summary: async () => {
      const reading = await policy()
      await sortOutDeadProcesses(ledger, isAlive)
      return ledger.transact((state, nowMs) => ({ events: [], result: summarize(state, reading, { nowMs, process }) }))
    },
    close: () => mark(),
  }
}

type ReserveStep = {
  state: SpendState
  nowMs: number
  reading: PolicyReading
  request: SpendRequest
  process: string
  isAlive: (id: string) => boolean
}

function reserveStep({ state, nowMs, reading, request, process, isAlive }: ReserveStep): LedgerStep<Reservation> {
  const earlier = earlierCall(state, request.callKey, nowMs, reading, isAlive)
  if (earlier) return { events: [], result: earlier }
  const decision = decideSpend(reading, state, request, { nowMs, process })
  const { functionId, callKey, provider, network, asset, payTo } = request
  const amount = request.amount.toString()
  if (decision.type === 'deny') {
    const { code, reason } = decision
    const isRecordable = request.amount >= 0n
    return { events: isRecordable ? [{ type: 'deny', functionId, amount, code, reason }] : [], result: decision }
  }
  const callId = randomUUID()
  const event = { type: 'reserve' as const, callId, callKey, functionId, provider, network, asset, payTo, amount }
  const call: SpendRecord = {
    ...event,
    amount: request.amount,
    process,
    day: new Date(nowMs).toISOString().slice(0, 10),
    reservedAt: nowMs,
    status: 'reserved',
  }
  return { events: [event], result: { type: 'reserved', call } }
}

function earlierCall(
  state: SpendState,
  callKey: string,
  nowMs: number,
  reading: PolicyReading,
  isAlive: (id: string) => boolean,
): Extract<Reservation, { type: 'replay' | 'blocked' }> | undefined {
  const call = copy(state.latestByKey.get(callKey))
  if (!call) return undefined
  const windowMs = reading.type === 'valid' ? reading.policy.replayWindowSeconds * 1_000 : 0
  if (call.status === 'settled') return nowMs - (call.settledAt ?? 0) <= windowMs ? { type: 'replay', call } : undefined
  if (call.status === 'unknown') return { type: 'blocked', call, code: 'payment_settlement_unknown' }
  if (call.status === 'signed')
    return { type: 'blocked', call, code: isAlive(call.process) ? 'payment_in_progress' : 'payment_settlement_unknown' }
  // Reserved by a process that died: nothing was signed, so nothing is in the way; its hold is released when next seen.
  if (call.status === 'reserved' && isAlive(call.process)) return { type: 'blocked', call, code: 'payment_in_progress' }
  return undefined
}

/** Nothing signed: released. Signed: unknown, and to be resolved with the gateway and the chain. */
async function sortOutDeadProcesses(ledger: Ledger, isAlive: (id: string) => boolean): Promise<void> {
  await ledger.transact((state) => {
    const dead = state.order.filter(
      (call) => (call.status === 'reserved' || call.status === 'signed') && !isAlive(call.process),
    )
    const events = dead.map(({ callId, status }): LedgerEvent => {
      if (status === 'reserved') return { type: 'release', callId, reason: 'the server ended before it signed' }
      return { type: 'unknown', callId, reason: 'the server ended after it signed' }
    })
    return { events, result: undefined }
  })
}

function look<T>(ledger: Ledger, read: (state: SpendState) => T): Promise<T> {
  return ledger.transact((state) => ({ events: [], result: read(state) }))
}

function isHeld({ status }: SpendRecord): boolean {
  return status !== 'settled' && status !== 'released'
}

function copy(call: SpendRecord | undefined): SpendRecord | undefined {
  return call && { ...call }
}

/** A lock that is held for as long as this process lives, so that others can tell. */
function markProcess(directory: string, id: string): ReleaseLock {
  const path = join(directory, `${id}.lock`)
  const release = tryFileLock(path)
  if (!release) throw new PeerHostError('conflict', `The process mark ${path} is taken.`)
  return () => {
    release()
    rmSync(path, { force: true })
  }
}

function isProcessAlive(directory: string, id: string): boolean {
  const path = join(directory, `${id}.lock`)
  const release = tryFileLock(path)
  if (!release) return true
  release()
  rmSync(path, { force: true })
  return false
}

function toJson({ from, to, value, validAfter, validBefore, nonce }: Authorization) {
  return {
    from,
    to,
    value: value.toString(),
    validAfter: validAfter.toString(),
    validBefore: validBefore.toString(),
    nonce: nonce.toLowerCase() as Hex,
  }
}
