import { type Attestation, type EscrowTerms, paymentEscrowAbi, type Ticket } from '@peerhost/protocol'
import { type Address, encodeFunctionData, type Hex } from 'viem'
import type { Sent } from './chain.ts'
import type { Suite } from './suite.ts'
import { sendAndWait, type TransactDeps } from './transact.ts'

/** An EIP-3009 authorization as an x402 client signed it. */
export type Authorization = { from: Address; validAfter: bigint; validBefore: bigint; nonce: Hex; signature: Hex }

/** What the contract knows of one quote. */
export type EscrowOnChain = {
  status: 'none' | 'open' | 'settled' | 'released' | 'refunded'
  payer: Address
  /** Once settled, the ticket's deadline: the windows run from it. */
  deadline: number
  quorum: number
}

/** A verified result, as the escrow wants it: one attestation, and a signature of each operator that agrees. */
export type EscrowEvidence = {
  ticket: Ticket
  ticketSignature: Hex
  attestation: Attestation
  signatures: readonly Hex[]
}

/** Payments that wait for a verified result. Anyone may call these; the gas is the facilitator's. */
export type EscrowChain = {
  read: (quoteId: Hex) => Promise<EscrowOnChain>
  /** The transaction that opened it, when there is one. */
  openedBy: (quoteId: Hex, fromBlock: bigint) => Promise<Hex | undefined>
  open: (terms: EscrowTerms, authorization: Authorization) => Promise<Sent>
  settle: (terms: EscrowTerms, evidence: EscrowEvidence) => Promise<Sent>
  release: (terms: EscrowTerms) => Promise<Sent>
  refund: (terms: EscrowTerms) => Promise<Sent>
}

const statuses = ['none', 'open', 'settled', 'released', 'refunded'] as const

export function createEscrowChain(deps: TransactDeps & { suite: Suite }): EscrowChain {
  const { client, suite } = deps
  const escrow = { address: suite.escrow, abi: paymentEscrowAbi } as const
  const send = (data: Hex) => sendAndWait(deps, { to: suite.escrow, data })
  return {
    read: async (quoteId) => {
      const { status, payer, deadline, quorum } = await client.readContract({
        ...escrow,
        functionName: 'getEscrow',
        args: [quoteId],
      })
      return { status: statuses[status] ?? 'none', payer, deadline, quorum }
    },
    openedBy: async (quoteId, fromBlock) => {
      const [log] = await client.getContractEvents({
        ...escrow,
        eventName: 'EscrowOpened',
        args: { quoteId },
        fromBlock,
        strict: true,
      })
      return log?.transactionHash
    },
    open: (terms, authorization) =>
      send(encodeFunctionData({ ...escrow, functionName: 'open', args: [terms, authorization] })),
    settle: (terms, { ticket, ticketSignature, attestation, signatures }) =>
      send(
        encodeFunctionData({
          ...escrow,
          functionName: 'settle',
          args: [terms, ticket, ticketSignature, attestation, [...signatures]],
        }),
      ),
    release: (terms) => send(encodeFunctionData({ ...escrow, functionName: 'release', args: [terms] })),
    refund: (terms) => send(encodeFunctionData({ ...escrow, functionName: 'refund', args: [terms] })),
  }
}
