import type { Logger } from 'pino'
import type { Chain, ChainParameters } from '../chain/chain.ts'
import type { Database } from '../database/database.ts'
import { forgetCalls } from '../egress/egressTable.ts'
import { carryEscrows } from '../escrow/carryEscrows.ts'
import { listUnknown } from '../payment/paymentTable.ts'
import { forgetCommitSets } from '../quorum/commitSetTable.ts'
import { reportConflicts } from '../quorum/reportConflicts.ts'
import { bondRequester } from '../requester/bondRequester.ts'
import { collectFees } from '../requester/collectFees.ts'
import { voidSequences } from '../requester/voidSequences.ts'
import { forgetTranscripts, listUnansweredPosted, setSettlement } from '../requests/requestTable.ts'
import type { SeedCapture } from '../seats/captureSeeds.ts'
import type { Environments } from '../secrets/environments.ts'
import { finaliseAgreed } from '../settlement/finaliseAgreed.ts'
import { reconcile } from '../walk/resume.ts'
import type { WalkDeps } from '../walk/walk.ts'
import type { Chore } from './upkeep.ts'

export type ChoreDeps = {
  database: Database
  chain: Chain
  walk: WalkDeps
  log: Logger
  parameters: ChainParameters
  seeds: SeedCapture
  environments: Pick<Environments, 'tidy'>
  /** How often what somebody waits for is looked at. */
  soonMs: number
  bond: bigint | 'auto'
  collectFeesAbove: bigint | undefined
}

/** What is kept for its caller. What may be judged is kept longer, see `keepUntilMs`. */
const transcriptMs = 24 * 3_600_000
const slowMs = 60_000
const mostExpiries = 20

/** Everything that a gateway does without being asked. */
export function choresOf(deps: ChoreDeps): Chore[] {
  const { database, chain, log, walk, parameters, soonMs } = deps
  const { times } = parameters
  const requester = walk.signer.address
  const { nowSeconds, sequences, seating } = walk
  const { epochSeconds, settlementGrace: settlementGraceSeconds } = times
  const own = { database, chain, log, requester, times, nowSeconds }
  const chore = (name: string, everyMs: number, run: () => Promise<void>): Chore => ({ name, everyMs, run })
  return [
    chore('payments', soonMs, async () => reconcile(walk, await listUnknown(database, requester))),
    chore('escrows', soonMs, () => carryEscrows(own)),
    chore('conflicts', soonMs, () => reportConflicts(own)),
    chore('agreed quorums', soonMs, () => finaliseAgreed({ ...own, settlementGraceSeconds })),
    chore('seeds', soonMs, deps.seeds.run),
    chore('sequences', soonMs, () => voidSequences({ ...own, sequences, seating, epochSeconds })),
    chore('bond', slowMs, () => bondRequester({ ...own, wanted: deps.bond })),
    chore('fees', slowMs, () => collectFees({ ...own, above: deps.collectFeesAbove })),
    chore('posted tickets', slowMs, () => expirePosted(deps)),
    chore('old records', slowMs, async () => {
      const nowMs = Date.now()
      await forgetTranscripts(database, { beforeMs: nowMs - transcriptMs, nowMs })
      await forgetCommitSets(database, nowMs - transcriptMs)
      await forgetCalls(database, { beforeMs: nowMs - transcriptMs, nowMs })
    }),
    chore('secrets', slowMs, deps.environments.tidy),
  ]
}

/** The fees of posted tickets that nobody answered are freed. */
async function expirePosted({ database, chain, walk, log, parameters }: ChoreDeps): Promise<void> {
  const longestMs = (parameters.times.settlementGrace + 600) * 1_000
  const options = { requester: walk.signer.address, beforeMs: Date.now() - longestMs, limit: mostExpiries }
  for (const { requestId, ticket } of await listUnansweredPosted(database, options)) {
    const sent = await chain.expire(ticket)
    if (sent.type === 'reverted') log.info({ reason: sent.reason, requestId }, 'ticket not expired')
    await setSettlement(database, [requestId], 'failed')
  }
}
