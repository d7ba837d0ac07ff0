import { functionRegistryAbi } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { sendTransaction } from '../chain/sendTransaction.ts'
import { suiteAbis } from '../chain/suiteAbis.ts'
import type { Connection } from '../connection.ts'
import type { signRelayedAction } from './signRelayedAction.ts'

/**
 * Sends an action that another account signed, and pays its gas. What it may do is in the signature: the relayer can change
 * nothing of it. Throws what a transaction throws; the contract's own reason when the action itself is refused.
 */
export async function relayAction(
  connection: Connection,
  parameters: relayAction.Parameters,
): Promise<relayAction.ReturnType> {
  const { to, account, action, deadline, signature } = parameters.signed
  const receipt = await sendTransaction(
    connection,
    {
      purpose: 'relay the action',
      address: to,
      abi: relayAbi,
      functionName: 'relay',
      args: [account, action, deadline, signature],
    },
    parameters.signal,
  )
  return { transaction: receipt.transactionHash }
}

/** Every contract has the same function; the errors are those of the contract that acts. */
const relayAbi = [
  ...functionRegistryAbi.filter((item) => item.type === 'function' && item.name === 'relay'),
  ...Object.values(suiteAbis).flatMap((abi) => abi.filter((item) => item.type === 'error')),
]

export declare namespace relayAction {
  type Parameters = { signed: signRelayedAction.ReturnType; signal?: AbortSignal | undefined }
  type ReturnType = { transaction: Hex }
}
