import type { Logger } from 'pino'
import type { Address } from 'viem'
import type { Chain } from '../chain/chain.ts'
import type { Database } from '../database/database.ts'
import type { RequestRecord } from '../requests/request.ts'
import { listAgreed, postponeAgreed, setSettled, setSettlement } from '../requests/requestTable.ts'

export type FinaliseDeps = {
  database: Database
  chain: Pick<Chain, 'finalise' | 'settledEvent'>
  log: Logger
  requester: Address
  settlementGraceSeconds: number
}

const mostAtOnce = 20
const firstBackoffMs = 2_000
const longestBackoffMs = 60_000

/** Pays quorums that agreed on the confirmed lane, once nobody can contradict them any more. Anyone may be faster. */
export async function finaliseAgreed(deps: FinaliseDeps): Promise<void> {
  const options = { requester: deps.requester, nowMs: Date.now(), limit: mostAtOnce }
  for (const request of await listAgreed(deps.database, options))
    await finaliseOne(deps, request).catch((error: unknown) =>
      deps.log.warn({ err: error, requestId: request.requestId }, 'a quorum could not be paid'),
    )
}

async function finaliseOne(deps: FinaliseDeps, request: RequestRecord): Promise<void> {
  const { requestId, ticket, fromBlock, settlementAttempts } = request
  const sent = await deps.chain.finalise(ticket)
  const event = await deps.chain.settledEvent(requestId, fromBlock)
  if (event) {
    const { transaction, blockNumber, index } = event
    return setSettled(deps.database, transaction, blockNumber, [{ requestId, index }])
  }
  const reason = sent.type === 'reverted' ? sent.reason : 'not settled'
  deps.log.info({ requestId, reason }, 'a quorum is not paid yet')
  if (Date.now() / 1_000 > ticket.deadline + deps.settlementGraceSeconds + 60)
    return setSettlement(deps.database, [requestId], 'failed')
  const backoffMs = Math.min(firstBackoffMs * 2 ** settlementAttempts, longestBackoffMs)
  await postponeAgreed(deps.database, requestId, Date.now() + backoffMs)
}
