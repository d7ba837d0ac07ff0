import { type ExecutedRequest, type ProtocolDomain, planSettlement } from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { Address, Hex } from 'viem'
import type { Chain, SettlementOutcome } from '../chain/chain.ts'
import type { Database } from '../database/database.ts'
import type { RequestRecord } from '../requests/request.ts'
import {
  listDue,
  listOutstanding,
  listSending,
  nextDueMs,
  postponeSettlement,
  setSettled,
  setSettlement,
} from '../requests/requestTable.ts'
import type { Credit } from './credit.ts'
import { type RollDeps, signRolls } from './rolls.ts'
import { onSkip } from './skips.ts'

export type SettlementQueueDeps = RollDeps & {
  database: Database
  chain: Pick<Chain, 'settle' | 'isConsumed' | 'settledEvent'>
  domain: ProtocolDomain
  requester: Address
  credit: Credit
  log: Logger
  batchItems: number
  settlementGraceSeconds: number
  /** Tells the workers of a batch where it was settled. */
  onSettled: (transaction: Hex, requests: readonly RequestRecord[]) => void
}

/** Brings executed requests to the chain: at once when idle, gathered while a transaction is under way. */
export type SettlementQueue = {
  /** Finds out what happened to what was being sent when the process ended. */
  recover: () => Promise<void>
  kick: () => void
  /** Stops taking new batches and resolves when the one under way is done. */
  close: () => Promise<void>
}

const firstBackoffMs = 500
const longestBackoffMs = 60_000
const mostAttempts = 12

export function createSettlementQueue(deps: SettlementQueueDeps): SettlementQueue {
  let running: Promise<void> | undefined
  let isKicked = false
  let isClosed = false
  let timer: NodeJS.Timeout | undefined
  let batchItems = deps.batchItems

  const settleBatch = async (): Promise<boolean> => {
    const due = await listDue(deps.database, { requester: deps.requester, nowMs: Date.now(), limit: batchItems })
    const requests = due.filter(isSettleable)
    if (requests.length === 0) return false
    const ids = requests.map(({ requestId }) => requestId)
    const plan = planSettlement(deps.domain, requests.map(toExecuted))
    // A roll that did not convince the contract is not tried twice: single signatures decide then.
    const isRetry = requests.some(({ settlementAttempts }) => settlementAttempts > 0)
    const signed = isRetry ? plan : await signRolls(deps, plan)
    await setSettlement(deps.database, ids, 'sending')
    try {
      const outcome = await deps.chain.settle(signed.batch)
      await writeDown(deps, requests, outcome)
      batchItems = outcome.type === 'mined' ? deps.batchItems : Math.max(1, Math.floor(requests.length / 2))
    } catch (error) {
      deps.log.warn({ err: error, requests: ids.length }, 'settlement not sent')
      await recoverSending(deps)
    }
    return true
  }

  const run = async (): Promise<void> => {
    do {
      isKicked = false
      while (!isClosed && (await settleBatch()));
    } while (isKicked && !isClosed)
    await plan()
  }

  const plan = async (): Promise<void> => {
    clearTimeout(timer)
    const dueMs = isClosed ? undefined : await nextDueMs(deps.database, deps.requester)
    if (dueMs === undefined || isClosed) return
    timer = setTimeout(kick, Math.max(50, dueMs - Date.now()))
    timer.unref()
  }

  const kick = (): void => {
    isKicked = true
    if (isClosed || running) return
    running = run()
      .catch((error: unknown) => {
        deps.log.error({ err: error }, 'settlement failed')
        timer = setTimeout(kick, firstBackoffMs)
        timer.unref()
      })
      .finally(() => {
        running = undefined
        // Somebody may have kicked between the last look and here.
        if (isKicked && !isClosed) setImmediate(kick)
      })
  }

  return {
    recover: async () => {
      for (const { requestId, ticket } of await listOutstanding(deps.database, deps.requester))
        deps.credit.adopt(requestId, ticket.funder, ticket.fee)
      await recoverSending(deps)
    },
    kick,
    close: async () => {
      isClosed = true
      clearTimeout(timer)
      await running
    },
  }
}

function isSettleable(request: RequestRecord): boolean {
  return request.attestations.length >= request.ticket.quorum
}

function toExecuted({ ticket, ticketSignature, attestations, commitSet }: RequestRecord): ExecutedRequest {
  return {
    ticket,
    ticketSignature,
    attestations: attestations.map(({ attestation, signature, executionKey, commitmentSalt }) => ({
      attestation,
      signature,
      executionKey,
      ...(commitmentSalt === undefined ? {} : { commitmentSalt }),
    })),
    ...(commitSet === undefined ? {} : { commitSet: { ...commitSet, commitments: [...commitSet.commitments] } }),
  }
}

async function writeDown(
  deps: SettlementQueueDeps,
  requests: readonly RequestRecord[],
  outcome: SettlementOutcome,
): Promise<void> {
  // One time for all: what was together is tried again together.
  const nowMs = Date.now()
  const byId = new Map(requests.map((request) => [request.requestId.toLowerCase(), request]))
  if (outcome.type === 'reverted') {
    deps.log.error({ reason: outcome.reason, requests: requests.length }, 'settlement reverted')
    for (const request of requests) await retryOrFail(deps, request, outcome.reason, nowMs)
    return
  }
  const { transaction, blockNumber } = outcome
  const settled: RequestRecord[] = []
  const places: { requestId: Hex; index: number }[] = []
  for (const { requestId, index } of outcome.settled) {
    const request = byId.get(requestId.toLowerCase())
    if (!request) continue
    places.push({ requestId: request.requestId, index })
    settled.push(request)
  }
  await setSettled(deps.database, transaction, blockNumber, places)
  for (const { requestId } of settled) deps.credit.release(requestId)
  deps.onSettled(transaction, settled)
  for (const { requestId, reason } of outcome.skipped) {
    const request = byId.get(requestId.toLowerCase())
    if (!request) continue
    const { name, next } = onSkip(reason)
    deps.log.warn({ requestId, reason: name }, 'settlement skipped a request')
    if (next === 'look-up') await resolveConsumed(deps, request)
    else if (next === 'wait') await retry(deps, request, nowMs)
    else if (next === 'retry') await retryOrFail(deps, request, name, nowMs)
    else await fail(deps, request)
  }
  deps.log.info({ transaction, settled: settled.length, skipped: outcome.skipped.length }, 'settled')
}

/** What was being sent: on chain, or to be sent again. */
async function recoverSending(deps: SettlementQueueDeps): Promise<void> {
  const nowMs = Date.now()
  for (const request of await listSending(deps.database, deps.requester)) {
    const isConsumed = await deps.chain.isConsumed(request.ticket.requester, request.ticket.sequence).catch(() => false)
    if (isConsumed) await resolveConsumed(deps, request)
    else await retry(deps, request, nowMs)
  }
}

/** The sequence is used: by this request, settled by us before a crash or by its worker, or it never will be. */
async function resolveConsumed(deps: SettlementQueueDeps, request: RequestRecord): Promise<void> {
  const event = await deps.chain.settledEvent(request.requestId, request.fromBlock)
  if (!event) return fail(deps, request)
  const { transaction, blockNumber, index } = event
  await setSettled(deps.database, transaction, blockNumber, [{ requestId: request.requestId, index }])
  deps.credit.release(request.requestId)
  deps.onSettled(transaction, [request])
}

async function retryOrFail(
  deps: SettlementQueueDeps,
  request: RequestRecord,
  reason: string,
  nowMs: number,
): Promise<void> {
  if (request.settlementAttempts + 1 >= mostAttempts) {
    deps.log.error({ requestId: request.requestId, reason }, 'settlement given up')
    return fail(deps, request)
  }
  await retry(deps, request, nowMs)
}

/** Not counted against the request: what it waits for may take a long while. */
async function retry(deps: SettlementQueueDeps, request: RequestRecord, nowMs: number): Promise<void> {
  const { deadline } = request.ticket
  if (nowMs / 1_000 > deadline + deps.settlementGraceSeconds + 60) return fail(deps, request)
  const backoffMs = Math.min(firstBackoffMs * 2 ** request.settlementAttempts, longestBackoffMs)
  await postponeSettlement(deps.database, [request.requestId], nowMs + backoffMs)
}

async function fail(deps: SettlementQueueDeps, request: RequestRecord): Promise<void> {
  await setSettlement(deps.database, [request.requestId], 'failed')
  deps.credit.release(request.requestId)
}
