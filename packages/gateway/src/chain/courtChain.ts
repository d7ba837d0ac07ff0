import { type Attestation, disputeCourtAbi, type Ticket } from '@peerhost/protocol'
import { type Address, encodeFunctionData, type Hex } from 'viem'
import type { Sent } from './chain.ts'
import type { Suite } from './suite.ts'
import { sendAndWait, type TransactDeps } from './transact.ts'

/** Two attestations of one request that contradict each other, as they were signed. */
export type Conflict = {
  ticket: Ticket
  ticketSignature: Hex
  first: { attestation: Attestation; signature: Hex }
  second: { attestation: Attestation; signature: Hex }
  /** Of the first and of the second. */
  operators: readonly [Address, Address]
}

/** Who judges, and what. */
export type CourtChain = {
  isJudged: (functionId: Hex, version: number, issuedAt: number) => Promise<boolean>
  /** Whether the audit lottery chose this request and drew this operator for it. */
  isAuditor: (requestId: Hex, epoch: number, operator: Address) => Promise<boolean>
  isJuror: (caseId: Hex, operator: Address) => Promise<boolean>
  /** One key signed two different results for one request. */
  reportEquivocation: (conflict: Conflict) => Promise<Sent>
  /** Opens a case. The input stays here: jurors ask the requester for it. */
  reportConflict: (conflict: Conflict) => Promise<Sent>
}

export function createCourtChain(deps: TransactDeps & { suite: Suite }): CourtChain {
  const { client, suite } = deps
  const court = { address: suite.court, abi: disputeCourtAbi } as const
  const send = (data: Hex) => sendAndWait(deps, { to: suite.court, data })
  return {
    isJudged: (functionId, version, issuedAt) =>
      client.readContract({ ...court, functionName: 'isJudged', args: [functionId, version, issuedAt] }),
    isAuditor: async (requestId, epoch, operator) => {
      const [isAudited, isAuditor] = await client.readContract({
        ...court,
        functionName: 'auditOf',
        args: [requestId, epoch, operator],
      })
      return isAudited && isAuditor
    },
    isJuror: (caseId, operator) => client.readContract({ ...court, functionName: 'isJuror', args: [caseId, operator] }),
    reportEquivocation: ({ ticket, ticketSignature, first, second }) =>
      send(
        encodeFunctionData({
          ...court,
          functionName: 'reportEquivocation',
          args: [ticket, ticketSignature, first.attestation, first.signature, second.attestation, second.signature],
        }),
      ),
    reportConflict: ({ ticket, ticketSignature, first, second }) =>
      send(
        encodeFunctionData({
          ...court,
          functionName: 'reportConflict',
          args: [
            ticket,
            ticketSignature,
            first.attestation,
            first.signature,
            second.attestation,
            second.signature,
            '0x',
            '',
          ],
        }),
      ),
  }
}
