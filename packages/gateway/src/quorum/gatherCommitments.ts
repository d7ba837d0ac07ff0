import { type DeclineReason, LIMITS, type LimitsClass, toBase64 } from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { Hex } from 'viem'
import type { Job } from '../requests/request.ts'
import type { WorkerLink } from '../workers/workerLink.ts'
import { type CommitSetDeps, isCommitment } from './commitSet.ts'

export type GatherDeps = CommitSetDeps & {
  log: Logger
  dispatchGraceMs: number
  /** How much longer than the quorum's last commitment the set stays open for spare ones. */
  lingerMs: number
}

export type Committed = { link: WorkerLink; commitment: Hex }

/** Commitments beyond the quorum, so that one worker which does not open spoils nothing. */
const spares = 2

/**
 * Gives a job to several workers and gathers what they commit to, in the order of arrival: until all have answered, until
 * there are two more than the quorum needs, or until nothing more is to be waited for.
 */
export async function gatherCommitments(
  deps: GatherDeps,
  job: Job,
  links: readonly WorkerLink[],
  limits: LimitsClass,
): Promise<{ committed: Committed[]; declines: DeclineReason[] }> {
  const { requestId, ticket, ticketSignature: signature, salt } = job
  const message = { type: 'job', requestId, ticket, signature, salt, input: toBase64(job.input) } as const
  const committed: Committed[] = []
  const declines: DeclineReason[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const most = Math.min(ticket.quorum + spares, LIMITS.quorumCommitments)
  let outstanding = links.length
  let linger: NodeJS.Timeout | undefined
  let isClosed = false

  const look = (): void => {
    const isHopeless = committed.length + outstanding < ticket.quorum
    if (committed.length >= most || outstanding === 0 || isHopeless) resolve()
    else if (committed.length >= ticket.quorum) linger ??= setTimeout(resolve, deps.lingerMs)
  }
  const ask = async (link: WorkerLink): Promise<void> => {
    const reply = await link.commit(message, limits.timeoutMs + deps.dispatchGraceMs)
    const about = { requestId, operator: link.operator }
    if (reply.type === 'declined') {
      declines.push(reply.reason)
      deps.log.info({ ...about, reason: reply.reason }, 'worker declined')
    } else if (reply.type !== 'committed') {
      if (!isClosed) deps.log.warn({ ...about, reply: reply.type }, 'worker gave no commitment')
    } else if (!(await isCommitment(deps, requestId, link, reply.message))) {
      deps.log.error(about, 'commitment refused')
    } else if (!isClosed) committed.push({ link, commitment: reply.message.commitment })
  }
  for (const link of links)
    ask(link)
      .catch((error: unknown) => deps.log.error({ err: error, requestId }, 'a commitment failed'))
      .finally(() => {
        outstanding--
        look()
      })
  await promise
  clearTimeout(linger)
  isClosed = true
  const inSet = new Set(committed.map(({ link }) => link))
  for (const link of links) if (!inSet.has(link)) link.send({ type: 'cancel', requestId })
  return { committed, declines }
}
