import {
  isResourceOutcome,
  LIMITS,
  laneNumber,
  outcomeOf,
  type ProtocolDomain,
  planSettlement,
  zeroBytes32,
} from '@peerhost/protocol'
import { type Address, bytesToHex, type Hex } from 'viem'
import type { Coordinator } from './chain/coordinator.ts'
import type { WorkerEmit } from './events.ts'
import type { Journal, JournalEntry } from './journal.ts'

export type SettleDeps = {
  domain: ProtocolDomain
  operator: Address
  executionKey: Address
  coordinator: Coordinator
  journal: Journal
  emit: WorkerEmit
  settlementGraceSeconds: number
  /** How long after a request's deadline a gateway may take to settle it. */
  patienceSeconds: number
}

/** Looks after this worker's own pay: what nobody settled in time, it settles itself. */
export type OwnSettlement = {
  /** One round. Never throws: what failed is tried again in the next one. */
  sweep: (nowSeconds: number) => Promise<void>
  /** Confirmed lane: puts an attestation on chain now. */
  submit: (entry: JournalEntry) => Promise<void>
  /** Resolves when no attestation is on its way to the chain. */
  idle: () => Promise<void>
  /** A gateway says that it settled these. Believed when the transaction says so too. */
  noteSettled: (transaction: Hex, requestIds: readonly Hex[]) => Promise<void>
}

const confirmedLane = laneNumber('confirmed')
const mostOutputBytes = LIMITS.calldataInputBytes

export function createOwnSettlement(deps: SettleDeps): OwnSettlement {
  const submitting = new Map<Hex, Promise<void>>()
  /** Settlements that were looked up again after the deadline. */
  const checked = new Set<Hex>()
  const unpaid = new Set<Hex>()

  function submit(entry: JournalEntry): Promise<void> {
    const underWay = submitting.get(entry.requestId)
    if (underWay || !isPayable(entry)) return underWay ?? Promise.resolve()
    const submission = submitOnce(deps, entry)
      .catch((error: unknown) => deps.emit('settlement:failed', { requestIds: [entry.requestId], error }))
      .finally(() => submitting.delete(entry.requestId))
    submitting.set(entry.requestId, submission)
    return submission
  }

  async function sweep(nowSeconds: number): Promise<void> {
    const entries = deps.journal.entries().filter(isPayable)
    for (const entry of entries.filter((candidate) => isLost(deps, candidate, nowSeconds))) {
      if (unpaid.has(entry.requestId)) continue
      unpaid.add(entry.requestId)
      deps.emit('job:unpaid', {
        requestId: entry.requestId,
        reason: 'Nobody could settle it before its time was over.',
      })
    }
    const due = entries.filter((entry) => isDue(deps, entry, nowSeconds))
    await recheck(deps, due, checked)
    const open = due.filter((entry) => !entry.settledBy)
    await Promise.all(open.filter(({ ticket }) => ticket.lane === confirmedLane).map(submit))
    await settleOpen(
      deps,
      open.filter(({ ticket }) => ticket.lane !== confirmedLane),
    )
    const known = new Set(entries.map(({ requestId }) => requestId))
    for (const set of [checked, unpaid]) for (const id of set) if (!known.has(id)) set.delete(id)
  }

  return {
    submit,
    idle: async () => {
      await Promise.all(submitting.values())
    },
    noteSettled: (transaction, requestIds) => noteSettled(deps, transaction, requestIds),
    sweep: async (nowSeconds) => {
      try {
        await sweep(nowSeconds)
      } catch (error) {
        deps.emit('worker:error', { during: 'own settlement', error })
      }
    },
  }
}

/** One signature never finalises an outcome that depends on the machine, so it is not worth a transaction. */
function isPayable({ attestation }: JournalEntry): boolean {
  return !isResourceOutcome(outcomeOf(attestation.outcome))
}

function isDue(deps: SettleDeps, { ticket }: JournalEntry, nowSeconds: number): boolean {
  const patience = ticket.lane === confirmedLane ? -LIMITS.ticketLifetimeSeconds : deps.patienceSeconds
  return nowSeconds >= ticket.deadline + patience && nowSeconds < ticket.deadline + deps.settlementGraceSeconds
}

function isLost(deps: SettleDeps, { ticket, settledBy }: JournalEntry, nowSeconds: number): boolean {
  return !settledBy && nowSeconds >= ticket.deadline + deps.settlementGraceSeconds
}

async function noteSettled(
  { journal, coordinator, operator, emit }: SettleDeps,
  transaction: Hex,
  ids: readonly Hex[],
) {
  const asked = ids.filter((id) => journal.get(id) && !journal.get(id)?.settledBy)
  if (asked.length === 0) return
  const onChain = new Set(await coordinator.readSettled(transaction, operator))
  const settled = asked.filter((id) => onChain.has(id))
  if (settled.length === 0) return
  await journal.markSettled(settled, transaction)
  emit('job:settled', { requestIds: settled, transaction })
}

/** Looks once more at what was settled early: a reorganisation may have undone it. One read per transaction. */
async function recheck(
  { journal, coordinator, operator }: SettleDeps,
  due: readonly JournalEntry[],
  checked: Set<Hex>,
) {
  const byTransaction = Map.groupBy(
    due.filter(({ requestId, settledBy }) => settledBy && settledBy !== zeroBytes32 && !checked.has(requestId)),
    ({ settledBy }) => settledBy ?? zeroBytes32,
  )
  for (const [transaction, entries] of byTransaction) {
    const onChain = new Set(await coordinator.readSettled(transaction, operator))
    const undone = entries.map(({ requestId }) => requestId).filter((id) => !onChain.has(id))
    if (undone.length > 0) await journal.markSettled(undone, undefined)
    for (const { requestId } of entries) checked.add(requestId)
  }
}

async function settleOpen(deps: SettleDeps, open: readonly JournalEntry[]): Promise<void> {
  for (const entries of Map.groupBy(open, ({ ticket }) => ticket.requester).values()) {
    for (let start = 0; start < entries.length; start += LIMITS.settlementBatchItems) {
      const batch = entries.slice(start, start + LIMITS.settlementBatchItems)
      try {
        await settleBatch(deps, await withoutConsumed(deps, batch))
      } catch (error) {
        deps.emit('settlement:failed', { requestIds: batch.map(({ requestId }) => requestId), error })
      }
    }
  }
}

/** Takes out what the chain has had already, by whomever. */
async function withoutConsumed({ coordinator, journal }: SettleDeps, entries: readonly JournalEntry[]) {
  const consumed = await Promise.all(
    entries.map(({ ticket }) => coordinator.isConsumed(ticket.requester, ticket.sequence)),
  )
  const gone = entries.filter((_, at) => consumed[at]).map(({ requestId }) => requestId)
  if (gone.length > 0) await journal.markSettled(gone, zeroBytes32)
  return entries.filter((_, at) => !consumed[at])
}

async function settleBatch(
  { domain, executionKey, coordinator, journal, emit }: SettleDeps,
  entries: readonly JournalEntry[],
): Promise<void> {
  if (entries.length === 0) return
  const plan = planSettlement(
    domain,
    entries.map(({ ticket, ticketSignature, attestation, attestationSignature }) => ({
      ticket,
      ticketSignature,
      attestation,
      attestationSignature,
      executionKey,
    })),
  )
  const report = await coordinator.settle(plan.batch)
  if (!report) return
  const { transaction, settled, skipped } = report
  emit('settlement:sent', { transaction, settled: settled.length, skipped: skipped.length })
  if (settled.length === 0) return
  await journal.markSettled(settled, transaction)
  emit('job:settled', { requestIds: settled, transaction })
}

async function submitOnce({ coordinator, journal, emit }: SettleDeps, entry: JournalEntry): Promise<void> {
  const { requestId, ticket, attestation, attestationSignature: signature } = entry
  const status = await coordinator.readPostedStatus(requestId)
  if (status === 'none') return
  if (status !== 'open') return journal.markSettled([requestId], zeroBytes32)
  const result = entry.publicResult ? await journal.readResult(requestId) : undefined
  const output = result && result.length <= mostOutputBytes ? bytesToHex(result) : '0x'
  const end = await coordinator.submit({ requestId, ticket, attestation, signature, output })
  if (end.type === 'already-settled') return journal.markSettled([requestId], zeroBytes32)
  await journal.markSettled([requestId], end.transaction)
  emit('settlement:sent', { transaction: end.transaction, settled: 1, skipped: 0 })
  emit('job:settled', { requestIds: [requestId], transaction: end.transaction })
}
