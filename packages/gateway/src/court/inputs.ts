import { caseId, sameHex, toBase64 } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { Chain } from '../chain/chain.ts'
import type { Database } from '../database/database.ts'
import { findConflict } from '../quorum/conflictTable.ts'
import type { Recorder } from '../requests/recorder.ts'
import type { RequestRecord } from '../requests/request.ts'
import { isTrusted, type TrustDeps } from '../seats/trustedOperators.ts'
import type { Posted } from '../walk/posted.ts'

export type InputDeps = TrustDeps & {
  posted: Pick<Posted, 'inputOf' | 'ticketOf'>
  recorder: Pick<Recorder, 'find'>
  database: Database
  chain: Pick<Chain, 'court'>
}

type Input = { salt: Hex; input: string }

/**
 * Salt and input of a request, for who may read them: any worker that the function's owner trusts while the request stands open on chain, and afterwards the
 * operators whom the court has drawn to run it again. `undefined` for everyone else, and for what is not kept any more.
 */
export async function inputFor(deps: InputDeps, operator: Address, requestId: Hex): Promise<Input | undefined> {
  const open = deps.posted.inputOf(requestId)
  const ticket = deps.posted.ticketOf(requestId)
  if (open && ticket) return (await isTrusted(deps, ticket, operator)) ? open : undefined
  const record = await deps.recorder.find(requestId.toLowerCase() as Hex)
  if (!record?.input) return undefined
  const { salt, input } = record
  return (await mayJudge(deps, operator, record)) ? { salt, input: toBase64(input) } : undefined
}

async function mayJudge({ chain, database }: InputDeps, operator: Address, record: RequestRecord): Promise<boolean> {
  const { requestId, ticket } = record
  const contradicted = await findConflict(database, requestId)
  // Who is accused does not say its own name: a case may be about any operator that signed a result we know of.
  const results = [...record.attestations.map(({ attestation }) => attestation)]
  if (contradicted) results.push(contradicted.first.attestation, contradicted.second.attestation)
  const accused = [...record.attestations.map((one) => one.operator), ...(contradicted?.operators ?? [])]
  for (const by of new Set(accused)) {
    if (sameHex(by, operator)) continue
    for (const { resultSeal, outcome, status } of results) {
      const id = caseId({ requestId, accused: by, resultSeal, outcome, status })
      if (await chain.court.isJuror(id, operator)) return true
    }
  }
  return chain.court.isAuditor(requestId, ticket.epoch, operator)
}
