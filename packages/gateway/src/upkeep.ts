import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Chain } from './chain/chain.ts'
import type { Database } from './database/database.ts'
import { listUnknown } from './payment/paymentTable.ts'
import { forgetTranscripts, listUnansweredPosted, setSettlement } from './requests/requestTable.ts'
import { reconcile } from './walk/resume.ts'
import type { WalkDeps } from './walk/walk.ts'

export type UpkeepDeps = {
  database: Database
  chain: Pick<Chain, 'expire'>
  walk: WalkDeps
  log: Logger
  reconcileMs: number
  settlementGraceSeconds: number
  signal: AbortSignal
}

const transcriptMs = 24 * 3_600_000
const slowMs = 60_000
const mostExpiries = 20

/**
 * What has to happen without a request: payments with an unknown outcome are looked up, old transcripts are forgotten,
 * the fees of posted tickets that nobody answered are freed. Resolves after the signal.
 */
export async function startUpkeep(deps: UpkeepDeps): Promise<void> {
  let slowAtMs = 0
  while (!deps.signal.aborted) {
    await sleep(deps.reconcileMs, undefined, { signal: deps.signal }).catch(() => undefined)
    if (deps.signal.aborted) return
    try {
      await reconcile(deps.walk, await listUnknown(deps.database, deps.walk.signer.address))
      if (Date.now() < slowAtMs) continue
      slowAtMs = Date.now() + slowMs
      await forgetTranscripts(deps.database, Date.now() - transcriptMs)
      await expirePosted(deps)
    } catch (error) {
      deps.log.warn({ err: error }, 'upkeep failed')
    }
  }
}

async function expirePosted({ database, chain, walk, log, settlementGraceSeconds }: UpkeepDeps): Promise<void> {
  const longestMs = (settlementGraceSeconds + 600) * 1_000
  const options = { requester: walk.signer.address, beforeMs: Date.now() - longestMs, limit: mostExpiries }
  for (const { requestId, ticket } of await listUnansweredPosted(database, options)) {
    await chain.expire(ticket).catch((error: unknown) => log.info({ err: error, requestId }, 'ticket not expired'))
    await setSettlement(database, [requestId], 'failed')
  }
}
