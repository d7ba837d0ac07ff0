import { setTimeout as sleep } from 'node:timers/promises'
import { type ProtocolTimes, sameHex } from '@peerhost/protocol'
import { type Address, bytesToHex, concatHex, type Hex } from 'viem'
import type { Court, OpenedCase } from '../chain/court.ts'
import { inputFromCalldata } from '../confirmedLane.ts'
import type { InputArchive } from '../inputArchive.ts'
import { type AuditDeps, type AuditMaterial, auditDelayEpochs, createAuditDuty } from './auditDuty.ts'
import { attendCase, type CaseInput, type JuryDeps } from './juryDuty.ts'

/** What happens at the court that a worker reacts to. */
export type CourtNews =
  | { type: 'case-opened'; opened: OpenedCase }
  | { type: 'audit-input-requested'; requestId: Hex; answerUntil: number }

/** What a worker's assembly brings for juries and audits. */
export type CourtDutyParts = {
  court: Court
  /** True when what the court owes this operator can be drawn by this worker's own key. */
  canWithdraw: boolean
  archive: InputArchive
  /** Follows the court until the signal fires. */
  watchCourt: (onNews: (news: CourtNews) => Promise<void>, signal: AbortSignal) => Promise<void>
  /** A block by its CID, from the sources that bundles come from. */
  fetchBlock: (cid: string, signal: AbortSignal) => Promise<Uint8Array | undefined>
  readSettledBetween: AuditDeps['readSettledBetween']
  /** Receipt and input of a request, for who knows its salt. */
  readTranscript: (requestId: Hex, salt: Hex) => Promise<AuditMaterial | undefined>
}

export type CourtDutyDeps = CourtDutyParts &
  Omit<JuryDeps, 'findInput' | 'juryPhaseSeconds'> &
  Omit<AuditDeps, 'findMaterial'> & {
    protocolTimes: ProtocolTimes
    /** From a gateway; from any of them when no requester is named. */
    askInput: (requestId: Hex, requester?: Address) => Promise<CaseInput | undefined>
  }

/** This operator's part in keeping others honest. */
export type CourtDuty = { start: (signal: AbortSignal) => Promise<void>[] }

export function createCourtDuty(deps: CourtDutyDeps): CourtDuty {
  const { court, archive, emit, operator, protocolTimes } = deps
  const audits = createAuditDuty({ ...deps, findMaterial })
  const jury = { ...deps, juryPhaseSeconds: protocolTimes.juryPhase, findInput }

  /** From calldata, from a block, from this worker's own archive, from the requester. */
  async function findInput(opened: OpenedCase, signal: AbortSignal): Promise<CaseInput | undefined> {
    const given = inputFromCalldata(opened.input)
    if (given) return given
    const block = opened.inputCid === '' ? undefined : await deps.fetchBlock(opened.inputCid, signal)
    if (block) return inputFromCalldata(bytesToHex(block))
    return (await archive.find(opened.requestId)) ?? deps.askInput(opened.requestId, opened.ticket.requester)
  }

  async function findMaterial(requestId: Hex): Promise<AuditMaterial | undefined> {
    const given = await deps.askInput(requestId)
    return given && deps.readTranscript(requestId, given.salt)
  }

  async function take(news: CourtNews, signal: AbortSignal): Promise<void> {
    if (news.type === 'audit-input-requested') return giveInput(news.requestId)
    const { caseId, requestId, accused } = news.opened
    if (sameHex(accused, operator)) emit('case:accused', { caseId, requestId })
    await attendCase(jury, news.opened, signal)
    if (!signal.aborted) await collect()
  }

  async function giveInput(requestId: Hex): Promise<void> {
    const kept = await archive.find(requestId)
    if (!kept) return
    const end = await court.giveAuditInput(requestId, concatHex([kept.salt, bytesToHex(kept.input)]))
    if (end.type === 'sent') emit('audit:input-given', { requestId, transaction: end.transaction })
  }

  async function collect(): Promise<void> {
    if (!deps.canWithdraw) return
    const amount = await court.readBalance(operator)
    if (amount === 0n) return
    const end = await court.withdraw(operator)
    if (end.type === 'sent') emit('court:withdrawn', { amount, transaction: end.transaction })
  }

  async function repeatAudits(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await audits.round(signal)
        const epoch = Math.floor(deps.now() / 1_000 / protocolTimes.epochSeconds)
        await archive.dropBefore(epoch - 2 * auditDelayEpochs)
      } catch (error) {
        if (!signal.aborted) emit('worker:error', { during: 'audits', error })
      }
      await sleep(deps.pollMs, undefined, { signal }).catch(() => {})
    }
  }

  return { start: (signal) => [deps.watchCourt((news) => take(news, signal), signal), repeatAudits(signal)] }
}
