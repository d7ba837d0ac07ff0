import { paymentEscrowAbi } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import { readChain } from '../chain/readChain.ts'
import { readSuite } from '../chain/readSuite.ts'
import type { Connection } from '../connection.ts'

/** Same order as `EscrowStatus` in IPaymentEscrow.sol. */
const escrowStatuses = ['none', 'open', 'settled', 'released', 'refunded'] as const

/**
 * What became of a payment in escrow, by the chain: `open` until its result is recorded, then `settled`, and at last
 * `released` to the payee or `refunded` to the payer. The quote's id is `quote().escrow.quoteId`, and the ticket's `quoteId`.
 */
export async function getEscrow(
  connection: Connection,
  parameters: getEscrow.Parameters,
): Promise<getEscrow.ReturnType> {
  const { escrow: address } = await readSuite(connection)
  const held = await readChain('read the escrow', () =>
    connection.publicClient.readContract({
      address,
      abi: paymentEscrowAbi,
      functionName: 'getEscrow',
      args: [parameters.quoteId],
    }),
  )
  return {
    quoteId: parameters.quoteId,
    status: escrowStatuses[held.status] ?? 'none',
    payer: held.payer,
    isProven: held.isProven,
    isContested: held.isContested,
    requestId: held.requestId,
    outcome: held.outcome,
    httpStatus: held.httpStatus,
    deadlineSeconds: held.deadline,
  }
}

export declare namespace getEscrow {
  type Parameters = { quoteId: Hex }
  type ReturnType = {
    quoteId: Hex
    status: (typeof escrowStatuses)[number]
    /** Zero while there is no payment. */
    payer: Address
    /** Whether the escrow itself moved the payer's money. */
    isProven: boolean
    /** Whether somebody else claims the same payment. */
    isContested: boolean
    /** The request whose result decides; zero while there is none. */
    requestId: Hex
    /** Of the recorded result; zero while there is none. */
    outcome: number
    httpStatus: number
    /** While it is open, the latest deadline that the request may have; then the request's own. */
    deadlineSeconds: number
  }
}
