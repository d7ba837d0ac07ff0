import { isResourceOutcome, type LimitsClass, PeerHostError, type SettlementRecord, sameHex } from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { Address, Hex } from 'viem'
import { BaseError } from 'viem'
import type { Chain, SettledEvent } from '../chain/chain.ts'
import type { Job } from '../requests/request.ts'
import { type AttestationDeps, type CheckedAttestation, checkAttestation } from './attestations.ts'
import { creditExhausted, type Execution } from './dispatch.ts'
import type { Posted, PostedEvent } from './posted.ts'

export type ConfirmDeps = AttestationDeps & {
  chain: Pick<Chain, 'post'>
  posted: Posted
  log: Logger
  /** Before posting: what is reserved on chain must be known after a crash. */
  onPosting: (job: Job) => Promise<void>
  onPosted: (job: Job, transaction: Hex) => Promise<void>
  /** Beyond the execution's own limit: two blocks, and fetching input and code. */
  confirmGraceMs: number
}

type Checked = Extract<CheckedAttestation, { ok: true }>

/**
 * Puts the ticket on chain and waits for the record of its result there. The bytes come from a worker over its
 * connection and count only when they open the seal on chain.
 * Throws `credit_exhausted`, `transaction_failed`, `no_worker`, `execution_timed_out`, `execution_out_of_memory`.
 */
export async function confirm(
  deps: ConfirmDeps,
  job: Job,
  limits: LimitsClass,
): Promise<Execution & { settled: SettlementRecord }> {
  const waitMs = limits.timeoutMs + deps.confirmGraceMs
  const wait = waitForResult(deps, job, waitMs)
  try {
    await deps.onPosting(job)
    const { transaction } = await deps.chain.post(job.ticket, job.ticketSignature, '0x').catch((error: unknown) => {
      throw postProblem(error)
    })
    await deps.onPosted(job, transaction)
    const { checked, event } = await wait.result
    const settled = {
      transaction: event.transaction,
      blockNumber: event.blockNumber.toString(),
      index: event.index,
    }
    return { ...job, ...checked, settled }
  } finally {
    wait.close()
  }
}

function waitForResult(deps: ConfirmDeps, job: Job, waitMs: number) {
  const { promise, resolve, reject } = Promise.withResolvers<{ checked: Checked; event: SettledEvent }>()
  // Handled by whoever awaits `result`; when posting fails first, nobody does.
  promise.catch(() => undefined)
  const candidates: Checked[] = []
  const strained = new Set<Address>()
  let event: SettledEvent | undefined
  const match = () => {
    const found = event && candidates.find(({ attested }) => isSealOf(attested.attestation.resultSeal, event))
    if (found && event) resolve({ checked: found, event })
  }
  const onEvent = async (one: PostedEvent): Promise<void> => {
    if (one.type === 'settled') {
      event = one.event
      return match()
    }
    const { executionKey, operator } = one.link
    const checked = await checkAttestation(deps, job, { executionKey, operator }, one.message)
    if (!checked.ok) {
      deps.log.error({ requestId: job.requestId, operator, reason: checked.reason }, 'attestation refused')
      return
    }
    const { outcome } = checked.decoded
    if (isResourceOutcome(outcome)) {
      strained.add(operator)
      if (strained.size >= 2) reject(outcome === 'timed-out' ? timedOut() : outOfMemory())
      return
    }
    candidates.push(checked)
    match()
  }
  const handle = deps.posted.open(job, (one) => {
    onEvent(one).catch((error: unknown) => deps.log.error({ err: error }, 'a posted ticket’s event failed'))
  })
  const timer = setTimeout(() => reject(strained.size > 0 ? timedOut() : unanswered(event)), waitMs)
  return {
    result: promise,
    close: () => {
      clearTimeout(timer)
      handle.close()
    },
  }
}

function isSealOf(resultSeal: Hex, event: SettledEvent | undefined): boolean {
  return event !== undefined && sameHex(resultSeal, event.resultSeal)
}

function timedOut(): PeerHostError {
  return new PeerHostError('execution_timed_out', 'The execution did not end within its time.', {
    hint: 'Nothing was charged. A larger limits class may help.',
  })
}

function outOfMemory(): PeerHostError {
  return new PeerHostError('execution_out_of_memory', 'The execution needed more memory than it may.', {
    hint: 'Nothing was charged. A larger limits class may help.',
  })
}

function unanswered(event: SettledEvent | undefined): PeerHostError {
  const message = event
    ? 'The result is on chain, but no worker gave its bytes.'
    : 'No worker recorded a result on chain in time.'
  return new PeerHostError('no_worker', message, { hint: 'Repeat the request later. Nothing was charged.' })
}

function postProblem(error: unknown): PeerHostError {
  const text = error instanceof BaseError ? `${error.shortMessage} ${error.details}` : String(error)
  const reverted = error instanceof BaseError && /revert/i.test(text)
  if (reverted && /credit/i.test(`${text} ${error.metaMessages?.join(' ') ?? ''}`)) return creditExhausted([])
  return new PeerHostError(
    reverted ? 'transaction_failed' : 'chain_unavailable',
    'The ticket could not be put on chain.',
    { details: [text.slice(0, 300)], cause: error },
  )
}
