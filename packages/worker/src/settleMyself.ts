import {
  encodeSettlement,
  LIMITS,
  laneNumber,
  type ProtocolDomain,
  planSettlement,
  zeroBytes32,
} from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { Coordinator } from './chain/coordinator.ts'
import type { WorkerEmit } from './events.ts'
import type { Journal, JournalEntry } from './journal.ts'
import { isPayable, type LaneAnswers } from './laneAnswers.ts'

export type SettleDeps = {
  domain: ProtocolDomain
  operator: Address
  executionKey: Address
  coordinator: Pick<Coordinator, 'settle' | 'isConsumed' | 'readSettled'>
  laneAnswers: LaneAnswers
  journal: Journal
  emit: WorkerEmit
  settlementGraceSeconds: number
  /** How long after a request's deadline a gateway may take to settle it. */
  patienceSeconds: number
}

/** Looks after this worker's own pay: what nobody settled in time, it settles itself. */
export type OwnSettlement = {
  /**
   * One round. Never throws: what failed is tried again in the next one. `patiently: false` gives gateways no more time.
   */
  sweep: (nowSeconds: number, options?: { patiently: boolean }) => Promise<void>
  /** A gateway says that it settled these. Believed when the transaction says so too. */
  noteSettled: (transaction: Hex, requestIds: readonly Hex[]) => Promise<void>
}

const confirmedLane = laneNumber('confirmed')

export function createOwnSettlement(deps: SettleDeps): OwnSettlement {
  /** Settlements that were looked up again after the deadline. */
  const checked = new Set<Hex>()
  const unpaid = new Set<Hex>()

  async function sweep(nowSeconds: number, patiently: boolean): Promise<void> {
    const entries = deps.journal.entries().filter(isPayable)
    for (const entry of entries.filter((candidate) => isLost(deps, candidate, nowSeconds))) {
      if (unpaid.has(entry.requestId)) continue
      unpaid.add(entry.requestId)
      deps.emit('job:unpaid', {
        requestId: entry.requestId,
        reason: 'Nobody could settle it before its time was over.',
      })
    }
    const due = entries.filter((entry) =>
      isDue(patiently ? deps : { ...deps, patienceSeconds: -LIMITS.ticketLifetimeSeconds }, entry, nowSeconds),
    )
    await recheck(deps, due, checked)
    const open = due.filter((entry) => !entry.settledBy)
    // Not waited for: a turn on chain may be many blocks away.
    for (const entry of open.filter(isConfirmed)) void deps.laneAnswers.bring(entry)
    await settleOpen(deps, open.filter(isSettledAlone))
    const known = new Set(entries.map(({ requestId }) => requestId))
    for (const set of [checked, unpaid]) for (const id of set) if (!known.has(id)) set.delete(id)
  }

  return {
    noteSettled: (transaction, requestIds) => noteSettled(deps, transaction, requestIds),
    sweep: async (nowSeconds, { patiently } = { patiently: true }) => {
      try {
        await sweep(nowSeconds, patiently)
      } catch (error) {
        deps.emit('worker:error', { during: 'own settlement', error })
      }
    },
  }
}

function isConfirmed({ ticket }: JournalEntry): boolean {
  return ticket.lane === confirmedLane
}

/**
 * A quorum of the attested lane is settled by who holds all its openings: one worker's own prove nothing to the contract,
 * and the others never come this way.
 */
function isSettledAlone({ ticket }: JournalEntry): boolean {
  return ticket.lane !== confirmedLane && ticket.quorum === 1
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
    entries.map(({ ticket, ticketSignature, attestation, attestationSignature: signature }) => ({
      ticket,
      ticketSignature,
      attestations: [{ attestation, signature, executionKey }],
    })),
  )
  const report = await coordinator.settle(encodeSettlement(plan.batch))
  if (!report) return
  const { transaction, settled, skipped } = report
  emit('settlement:sent', { transaction, settled: settled.length, skipped: skipped.length })
  if (settled.length === 0) return
  await journal.markSettled(settled, transaction)
  emit('job:settled', { requestIds: settled, transaction })
}
