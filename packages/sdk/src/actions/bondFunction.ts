import { disputeCourtAbi, protocolParametersAbi } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { formatAmount, parseAmount } from '../amount.ts'
import { readChain } from '../chain/readChain.ts'
import { readSuite } from '../chain/readSuite.ts'
import { sendTransaction } from '../chain/sendTransaction.ts'
import { tokenAbi } from '../chain/tokenAbi.ts'
import { type Connection, requireAccount } from '../connection.ts'

/**
 * Brings the owner's bond of a deterministic function up to `amount`, or to what makes it judgeable: only then is a wrong
 * result a case for a jury. The bond is lost when the function turns out to give different results to honest runs. Running
 * it again sends nothing. Throws `conflict` when the account is not the owner, `insufficient_funds`, and what a transaction throws.
 */
export async function bondFunction(
  connection: Connection,
  parameters: bondFunction.Parameters,
): Promise<bondFunction.ReturnType> {
  const { functionId, signal } = parameters
  const { token } = connection.network
  const { court } = await readSuite(connection)
  const account = requireAccount(connection, 'Bonding a function').account.address
  const { bond, needed } = await readOwnerBond(connection, functionId)
  const target = parameters.amount === undefined ? needed : parseAmount(parameters.amount, token.decimals)
  const missing = target > bond ? target - bond : 0n
  const transactions: Hex[] = []
  if (missing > 0n) {
    const allowance = await readChain('read the allowance', () =>
      connection.publicClient.readContract({
        address: token.address,
        abi: tokenAbi,
        functionName: 'allowance',
        args: [account, court],
      }),
    )
    const approve = { address: token.address, abi: tokenAbi, functionName: 'approve', args: [court, missing] }
    const deposit = {
      address: court,
      abi: disputeCourtAbi,
      functionName: 'bondFunction',
      args: [functionId, missing],
    }
    if (allowance < missing)
      transactions.push(
        (await sendTransaction(connection, { purpose: 'approve the bond', ...approve }, signal)).transactionHash,
      )
    transactions.push(
      (await sendTransaction(connection, { purpose: 'bond the function', ...deposit }, signal)).transactionHash,
    )
  }
  return { functionId, bond: bond + missing, bondText: formatAmount(bond + missing, token.decimals), transactions }
}

export declare namespace bondFunction {
  type Parameters = {
    functionId: Hex
    /** Decimal tokens that the bond should have; what makes the function judgeable when absent. */
    amount?: string | undefined
    signal?: AbortSignal | undefined
  }
  type ReturnType = {
    functionId: Hex
    /** Atomic units. */
    bond: bigint
    bondText: string
    /** In the order they were mined; empty when nothing was missing. */
    transactions: Hex[]
  }
}

/** The owner's bond that counts now, and what a function needs to be judged. */
export async function readOwnerBond(
  connection: Connection,
  functionId: Hex,
): Promise<{ bond: bigint; needed: bigint; isFlagged: boolean }> {
  const { publicClient } = connection
  const { court, parameters } = await readSuite(connection)
  const [held, { ownerBond }] = await readChain('read the owner’s bond', () =>
    Promise.all([
      publicClient.readContract({
        address: court,
        abi: disputeCourtAbi,
        functionName: 'getOwnerBond',
        args: [functionId],
      }),
      publicClient.readContract({ address: parameters, abi: protocolParametersAbi, functionName: 'current' }),
    ]),
  )
  const leaving = held.withdrawableAt !== 0
  return { bond: leaving ? 0n : held.amount, needed: ownerBond, isFlagged: held.isFlagged }
}
