import { type Attestation, disputeCourtAbi, type Ticket } from '@peerhost/protocol'
import type { AbiEvent, Address, Hex } from 'viem'
import type { CourtNews } from '../court/courtDuty.ts'
import { type WatchDeps, watchLogs } from './watchLogs.ts'

export type WatchCourtDeps = Omit<WatchDeps, 'events' | 'keyOf' | 'onLog'> & {
  onNews: (news: CourtNews) => Promise<void>
}

type Opened = {
  caseId: Hex
  requestId: Hex
  accused: Address
  ticket: Ticket
  attestation: Attestation
  input: Hex
  inputCid: string
}
type InputRequested = { requestId: Hex; answerUntil: number }

const events = disputeCourtAbi.filter(
  (item) => item.type === 'event' && (item.name === 'CaseOpened' || item.name === 'AuditInputRequested'),
) as unknown as AbiEvent[]

/** Follows the cases and the audits' questions; `address` is the court's. Stops when the signal fires. */
export function watchCourt({ onNews, ...deps }: WatchCourtDeps, signal: AbortSignal): Promise<void> {
  const watching: WatchDeps = {
    ...deps,
    events,
    keyOf: ({ eventName, args }) =>
      eventName === 'CaseOpened' ? (args as Opened).caseId : `input ${(args as InputRequested).requestId}`,
    onLog: ({ eventName, args }) => {
      if (eventName === 'CaseOpened') return onNews({ type: 'case-opened', opened: args as Opened })
      const { requestId, answerUntil } = args as InputRequested
      return onNews({ type: 'audit-input-requested', requestId, answerUntil })
    },
  }
  return watchLogs(watching, signal)
}
