import { type LimitsClass, PeerHostError, type SettlementRecord } from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { Chain } from '../chain/chain.ts'
import { revertReason } from '../chain/transact.ts'
import type { Job } from '../requests/request.ts'
import { missingTrust } from '../seats/trustedOperators.ts'
import type { WorkerPool } from '../workers/workerLink.ts'
import { creditExhausted, type Execution, refusal } from './dispatch.ts'
import { type WaitDeps, waitForResult } from './waitForResult.ts'

export type ConfirmDeps = WaitDeps & {
  chain: Pick<Chain, 'post' | 'postedBlock' | 'settledEvent'>
  workers: WorkerPool
  /** Longest wait for operators that the function's owner trusts to connect. */
  connectMs: number
  /** Before posting: what is reserved on chain must be known after a crash. */
  onPosting: (job: Job) => Promise<void>
  onPosted: (job: Job, transaction: Hex | undefined) => Promise<void>
  /** Beyond the execution's own limit: two blocks, and fetching input and code. */
  confirmGraceMs: number
}

/** A result that stands on chain: settled, or, of a quorum, agreed and settled after the conflict window. */
export type Confirmation = Execution & { settled: SettlementRecord | undefined }

/**
 * Puts the ticket on chain and waits for the record of its result there. The bytes come from a worker over its
 * connection and count only when they open the seal on chain.
 * Nothing is posted while nobody is connected that the function's owner trusts. Throws `credit_exhausted`, `bundle_unavailable`, `transaction_failed`, `no_worker`, `execution_timed_out`, `execution_out_of_memory`.
 */
export async function confirm(deps: ConfirmDeps, job: Job, limits: LimitsClass): Promise<Confirmation> {
  const wait = waitForResult(deps, job, limits.timeoutMs + deps.confirmGraceMs)
  try {
    await assertRunnable(deps, job)
    await deps.onPosting(job)
    await deps.onPosted(job, await post(deps, job))
    const { openings, event } = await wait.result
    const [one] = openings
    if (!one) throw new TypeError('A confirmed result has at least one attestation.')
    const settled =
      event.type === 'settled'
        ? { transaction: event.transaction, blockNumber: event.blockNumber.toString(), index: event.index }
        : undefined
    const { result, decoded } = one
    return { ...job, attestations: openings.map(({ attested }) => attested), result, decoded, settled }
  } finally {
    wait.close()
  }
}

/** What stands on chain already is waited for, whatever is missing: after a restart its workers are still to come. */
async function assertRunnable(deps: ConfirmDeps, job: Job): Promise<void> {
  const obstacle = await missingTrust(deps, job.ticket, deps.connectMs).then(
    (missing) => missing && refusal(deps, job, [], [missing]),
    (error: Error) => error,
  )
  if (obstacle && (await deps.chain.postedBlock(job.requestId)) === undefined) throw obstacle
}

/** `undefined` when it stands there already: a restart posts again. */
async function post(deps: ConfirmDeps, job: Job): Promise<Hex | undefined> {
  try {
    return (await deps.chain.post(job.ticket, job.ticketSignature, '0x')).transaction
  } catch (error) {
    const reason = revertReason(error)
    if (!reason?.startsWith('AlreadyPosted')) throw postProblem(error, reason)
    const event = await deps.chain.settledEvent(job.requestId, job.fromBlock)
    if (event) deps.posted.emit(job.requestId, { type: 'settled', event })
    return undefined
  }
}

function postProblem(error: unknown, reason: string | undefined): PeerHostError {
  if (reason !== undefined && /credit/i.test(reason)) return creditExhausted([reason])
  return new PeerHostError(
    reason === undefined ? 'chain_unavailable' : 'transaction_failed',
    'The ticket could not be put on chain.',
    { details: [(reason ?? String(error)).slice(0, 300)], cause: error },
  )
}
