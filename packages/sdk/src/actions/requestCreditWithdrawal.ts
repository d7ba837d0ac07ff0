import { executionCoordinatorAbi } from '@peerhost/protocol'
import { type Hex, isAddressEqual, parseEventLogs } from 'viem'
import { parseAmount } from '../amount.ts'
import { eventMissing, sendTransaction } from '../chain/sendTransaction.ts'
import type { Connection } from '../connection.ts'

/**
 * Sets credit aside so that `withdrawCredit` can take it out once no ticket under way can need it any more.
 * Throws `insufficient_funds` for more than there is.
 */
export async function requestCreditWithdrawal(
  connection: Connection,
  parameters: requestCreditWithdrawal.Parameters,
): Promise<requestCreditWithdrawal.ReturnType> {
  const { coordinator, token } = connection.network
  const receipt = await sendTransaction(
    connection,
    {
      purpose: 'request the withdrawal',
      address: coordinator,
      abi: executionCoordinatorAbi,
      functionName: 'requestCreditWithdrawal',
      args: [parseAmount(parameters.amount, token.decimals)],
    },
    parameters.signal,
  )
  const event = parseEventLogs({
    abi: executionCoordinatorAbi,
    eventName: 'CreditWithdrawalRequested',
    logs: receipt.logs,
  }).find((log) => isAddressEqual(log.address, coordinator))
  if (!event) throw eventMissing('CreditWithdrawalRequested', receipt.transactionHash)
  return {
    amount: event.args.amount,
    availableAtSeconds: event.args.availableAt,
    transaction: receipt.transactionHash,
  }
}

export declare namespace requestCreditWithdrawal {
  /** `amount` in decimal tokens. */
  type Parameters = { amount: string; signal?: AbortSignal | undefined }
  /** `amount` in atomic units; `availableAtSeconds` since 1970. */
  type ReturnType = { amount: bigint; availableAtSeconds: number; transaction: Hex }
}
