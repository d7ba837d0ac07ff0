import { disputeCourtAbi } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import { readChain } from '../chain/readChain.ts'
import { readSuite } from '../chain/readSuite.ts'
import { sendTransaction } from '../chain/sendTransaction.ts'
import { type Connection, requireAccount } from '../connection.ts'

/**
 * Begins the way out of an owner's bond, or, once its time has come, pays it out: results for tickets from now on are not
 * judged any more. Throws `conflict` when the account is not the owner or it is too early, and what a transaction throws.
 */
export async function unbondFunction(
  connection: Connection,
  parameters: unbondFunction.Parameters,
): Promise<unbondFunction.ReturnType> {
  const { functionId, signal } = parameters
  const { court: address } = await readSuite(connection)
  const to = parameters.to ?? requireAccount(connection, 'Unbonding a function').account.address
  const bonded = await readBond(connection, address, functionId)
  const isLeaving = bonded.withdrawableAt !== 0
  const call = isLeaving
    ? { purpose: 'withdraw the bond', functionName: 'withdrawOwnerBond', args: [functionId, to] }
    : { purpose: 'unbond the function', functionName: 'unbondFunction', args: [functionId] }
  const receipt = await sendTransaction(connection, { ...call, address, abi: disputeCourtAbi }, signal)
  const after = await readBond(connection, address, functionId)
  return {
    functionId,
    step: isLeaving ? 'withdrawn' : 'unbonding',
    amount: bonded.amount,
    withdrawableAtSeconds: after.withdrawableAt,
    transaction: receipt.transactionHash,
  }
}

export declare namespace unbondFunction {
  type Parameters = {
    functionId: Hex
    /** Who is paid; the account itself when absent. */
    to?: Address | undefined
    signal?: AbortSignal | undefined
  }
  type ReturnType = {
    functionId: Hex
    step: 'unbonding' | 'withdrawn'
    /** Atomic units. */
    amount: bigint
    /** From when on the same call pays it out; zero once it did. */
    withdrawableAtSeconds: number
    transaction: Hex
  }
}

function readBond({ publicClient }: Connection, address: Address, functionId: Hex) {
  return readChain('read the owner’s bond', () =>
    publicClient.readContract({ address, abi: disputeCourtAbi, functionName: 'getOwnerBond', args: [functionId] }),
  )
}
