import { executionCoordinatorAbi } from '@peerhost/protocol'
import { type Address, type Hex, isAddressEqual, parseEventLogs } from 'viem'
import { eventMissing, sendTransaction } from '../chain/sendTransaction.ts'
import { type Connection, requireAccount } from '../connection.ts'

/** Takes out what `requestCreditWithdrawal` set aside. Throws `conflict` before its time and when there is nothing. */
export async function withdrawCredit(
  connection: Connection,
  parameters: withdrawCredit.Parameters = {},
): Promise<withdrawCredit.ReturnType> {
  const { coordinator } = connection.network
  const to = parameters.to ?? requireAccount(connection, 'Withdrawing credit').account.address
  const receipt = await sendTransaction(
    connection,
    {
      purpose: 'withdraw credit',
      address: coordinator,
      abi: executionCoordinatorAbi,
      functionName: 'withdrawCredit',
      args: [to],
    },
    parameters.signal,
  )
  const event = parseEventLogs({ abi: executionCoordinatorAbi, eventName: 'CreditWithdrawn', logs: receipt.logs }).find(
    (log) => isAddressEqual(log.address, coordinator),
  )
  if (!event) throw eventMissing('CreditWithdrawn', receipt.transactionHash)
  return { amount: event.args.amount, to: event.args.to, transaction: receipt.transactionHash }
}

export declare namespace withdrawCredit {
  /** `to` is the account itself when absent. */
  type Parameters = { to?: Address | undefined; signal?: AbortSignal | undefined }
  /** `amount` in atomic units. */
  type ReturnType = { amount: bigint; to: Address; transaction: Hex }
}
