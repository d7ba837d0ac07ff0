import { type Attestation, disputeCourtAbi, isPeerHostError, type Ticket } from '@peerhost/protocol'
import type { Address, Hex, PublicClient } from 'viem'
import { refusalOf, suiteErrors } from './contractErrors.ts'
import { needSender } from './coordinator.ts'
import type { Sender } from './sender.ts'
import type { Suite } from './suite.ts'

/** Same order as `CaseStatus` in IDisputeCourt.sol. */
export const caseStatuses = [
  'none',
  'first-jury',
  'second-jury',
  'convicted',
  'acquitted',
  'flagged',
  'unavailable',
  'hung',
  'undecided',
] as const
export type CaseStatus = (typeof caseStatuses)[number]

/** What a juror needs to know of a case. Times in seconds since 1970. */
export type CaseFacts = { status: CaseStatus; accused: Address; phaseEndsAt: number }

/** A case as it was opened. */
export type OpenedCase = {
  caseId: Hex
  requestId: Hex
  accused: Address
  ticket: Ticket
  attestation: Attestation
  /** `salt ‖ canonical request`, or empty. */
  input: Hex
  /** Where the same bytes are when they do not stand on chain. */
  inputCid: string
}

/** A ticket and an attestation of it, with their signatures. */
export type Evidence = { ticket: Ticket; ticketSignature: Hex; attestation: Attestation; signature: Hex }

/** `refused` names the contract's error: it is done already, or this is not its time. */
export type CourtEnd = { type: 'sent'; transaction: Hex } | { type: 'refused'; reason: string }

/** What a worker asks the court, and does there. Reads throw viem's errors; writes throw `PeerHostError`. */
export type Court = {
  readCase: (caseId: Hex) => Promise<CaseFacts>
  isJuror: (caseId: Hex, operator: Address) => Promise<boolean>
  /** Time of the newest block. */
  readTime: () => Promise<number>
  commitVote: (caseId: Hex, commitment: Hex) => Promise<CourtEnd>
  revealVote: (
    caseId: Hex,
    vote: { vote: number; resultSeal: Hex; outcome: number; status: number; salt: Hex },
  ) => Promise<CourtEnd>
  concludeJury: (caseId: Hex) => Promise<CourtEnd>
  readAudit: (requestId: Hex, epoch: number, operator: Address) => Promise<{ isAudited: boolean; isAuditor: boolean }>
  audit: (evidence: Evidence, own: { attestation: Attestation; signature: Hex }, input: Hex) => Promise<CourtEnd>
  giveAuditInput: (requestId: Hex, input: Hex) => Promise<CourtEnd>
  readBalance: (account: Address) => Promise<bigint>
  /** Pays out the sender's balance. */
  withdraw: (to: Address) => Promise<CourtEnd>
}

const abi = [...disputeCourtAbi.filter(({ type }) => type !== 'error'), ...suiteErrors]

export function createCourt({
  client,
  suite,
  sender,
}: {
  client: PublicClient
  suite: Suite
  sender: Sender | undefined
}): Court {
  const contract = { address: suite.court, abi: disputeCourtAbi } as const

  async function act(functionName: string, args: readonly unknown[]): Promise<CourtEnd> {
    try {
      const { transaction } = await needSender(sender).send({ address: suite.court, abi, functionName, args })
      return { type: 'sent', transaction }
    } catch (error) {
      const reason = refusalOf(error)
      if (reason === undefined || !isPeerHostError(error)) throw error
      return { type: 'refused', reason }
    }
  }

  return {
    readCase: async (caseId) => {
      const held = await client.readContract({ ...contract, functionName: 'getCase', args: [caseId] })
      const { accused, phaseEndsAt } = held
      return { status: caseStatuses[held.status] ?? 'none', accused, phaseEndsAt }
    },
    isJuror: (caseId, operator) =>
      client.readContract({ ...contract, functionName: 'isJuror', args: [caseId, operator] }),
    readTime: async () => Number((await client.getBlock({ includeTransactions: false })).timestamp),
    commitVote: (caseId, commitment) => act('commitVote', [caseId, commitment]),
    revealVote: (caseId, { vote, resultSeal, outcome, status, salt }) =>
      act('revealVote', [caseId, vote, resultSeal, outcome, status, salt]),
    concludeJury: (caseId) => act('concludeJury', [caseId]),
    readAudit: async (requestId, epoch, operator) => {
      const args = [requestId, epoch, operator] as const
      const [isAudited, isAuditor] = await client.readContract({ ...contract, functionName: 'auditOf', args })
      return { isAudited, isAuditor }
    },
    audit: ({ ticket, ticketSignature, attestation, signature }, own, input) =>
      act('audit', [ticket, ticketSignature, attestation, signature, own.attestation, own.signature, input, '']),
    giveAuditInput: (requestId, input) => act('giveAuditInput', [requestId, input, '']),
    readBalance: (account) => client.readContract({ ...contract, functionName: 'balanceOf', args: [account] }),
    withdraw: (to) => act('withdraw', [to]),
  }
}
