import { isResourceOutcome, PeerHostError, sameHex } from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { Address, Hex } from 'viem'
import type { AgreedEvent, SettledEvent } from '../chain/chain.ts'
import { type CommitSetDeps, closeCommitSet, isCommitment } from '../quorum/commitSet.ts'
import type { Job } from '../requests/request.ts'
import { isTrusted, type TrustDeps } from '../seats/trustedOperators.ts'
import { type AttestationDeps, type CheckedAttestation, checkAttestation } from './attestations.ts'
import { resourceProblem } from './dispatch.ts'
import type { Posted, PostedEvent } from './posted.ts'

export type WaitDeps = AttestationDeps & CommitSetDeps & TrustDeps & { posted: Posted; log: Logger }

type Checked = Extract<CheckedAttestation, { ok: true }>
type OnChain = ({ type: 'settled' } & SettledEvent) | ({ type: 'agreed' } & AgreedEvent)

/** The workers' bytes, and the chain's word that they are the result. */
export type Confirmed = { openings: readonly Checked[]; event: OnChain }

/**
 * Waits until the chain has the result of a posted ticket and as many workers as its quorum have sent the bytes of it. Nobody
 * may answer without having committed: with a quorum of one, the first to commit gets a set of its own to open on chain
 * with; larger quorums commit on chain.
 */
export function waitForResult(deps: WaitDeps, job: Job, waitMs: number) {
  const { promise, resolve, reject } = Promise.withResolvers<Confirmed>()
  // Handled by whoever awaits `result`; when posting fails first, nobody does.
  promise.catch(() => undefined)
  const openings: Checked[] = []
  const strained = new Map<Address, Checked>()
  const { quorum } = job.ticket
  let event: OnChain | undefined
  let isClosing = false

  const match = (): void => {
    if (!event) return
    const { resultSeal } = event
    const agreeing = openings.filter(({ attested }) => sameHex(attested.attestation.resultSeal, resultSeal))
    if (agreeing.length >= quorum) resolve({ openings: agreeing.slice(0, quorum), event })
  }
  const onCommitted = async ({ link, message }: Extract<PostedEvent, { type: 'committed' }>): Promise<void> => {
    if (quorum !== 1 || isClosing) return
    const { requestId } = job
    if (!(await isTrusted(deps, job.ticket, link.operator))) return
    if (!(await isCommitment(deps, requestId, link, message)) || isClosing) return
    isClosing = true
    const set = await closeCommitSet(deps, requestId, [message.commitment])
    if (!set) return
    link.send({ type: 'open', requestId, commitments: [...set.commitments], signature: set.signature })
  }
  const onAttested = async ({ link, message }: Extract<PostedEvent, { type: 'attested' }>): Promise<void> => {
    const { executionKey, operator } = link
    if (!(await isTrusted(deps, job.ticket, operator))) return
    const checked = await checkAttestation(deps, job, { executionKey, operator }, message)
    if (!checked.ok) {
      deps.log.error({ requestId: job.requestId, operator, reason: checked.reason }, 'attestation refused')
      return
    }
    if (isResourceOutcome(checked.decoded.outcome)) {
      strained.set(operator, checked)
      const [first, second] = [...strained.values()]
      if (quorum === 1 && first && second) return reject(resourceProblem(first.decoded.outcome, 'Two workers agree.'))
    }
    if (openings.some(({ attested }) => sameHex(attested.operator, operator))) return
    openings.push(checked)
    match()
  }
  const onEvent = async (one: PostedEvent): Promise<void> => {
    if (one.type === 'committed') return onCommitted(one)
    if (one.type === 'attested') return onAttested(one)
    event = one.type === 'settled' ? { type: 'settled', ...one.event } : { type: 'agreed', ...one.event }
    match()
  }
  const handle = deps.posted.open(job, (one) => {
    onEvent(one).catch((error: unknown) => deps.log.error({ err: error }, 'a posted ticket’s event failed'))
  })
  const timer = setTimeout(() => {
    const [one] = strained.values()
    reject(one ? resourceProblem(one.decoded.outcome, 'No second worker was there to agree.') : unanswered(event))
  }, waitMs)
  return {
    result: promise,
    close: () => {
      clearTimeout(timer)
      handle.close()
    },
  }
}

function unanswered(event: { resultSeal: Hex } | undefined): PeerHostError {
  const message = event
    ? 'The result is on chain, but no worker gave its bytes.'
    : 'No worker recorded a result on chain in time.'
  return new PeerHostError('no_worker', message, { hint: 'Repeat the request later. Nothing was charged.' })
}
