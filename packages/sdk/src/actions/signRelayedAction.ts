import { eip712Domain, PeerHostError, relayedActionTypes } from '@peerhost/protocol'
import { type Abi, type Address, encodeFunctionData, type Hex, parseAbi } from 'viem'
import { chainError } from '../chain/chainError.ts'
import { readChain } from '../chain/readChain.ts'
import { readSuite } from '../chain/readSuite.ts'
import { suiteAbis } from '../chain/suiteAbis.ts'
import { type Connection, requireAccount } from '../connection.ts'

const nonceAbi = parseAbi(['function actionNonce(address account) view returns (uint256)'])
const defaultValidSeconds = 600

/**
 * Signs an action of this account that anybody may send with `relayAction`: the account needs no gas. Good for one use and
 * a short time. Throws `request_invalid` for a call that the contract does not have.
 *
 * @example
 * const signed = await signRelayedAction(owner, {
 *   contract: 'functions', functionName: 'setPrice', args: [functionId, 1_000n, zeroAddress, 1],
 * })
 * await relayAction(anybody, { signed })
 */
export async function signRelayedAction(
  connection: Connection,
  parameters: signRelayedAction.Parameters,
): Promise<signRelayedAction.ReturnType> {
  const { account, walletClient } = requireAccount(connection, 'Signing an action')
  const { contract, functionName, args, validSeconds = defaultValidSeconds } = parameters
  const to = (await readSuite(connection))[contract]
  const action = encode(suiteAbis[contract], functionName, args)
  const nonce = await readChain('read the nonce of the action', () =>
    connection.publicClient.readContract({
      address: to,
      abi: nonceAbi,
      functionName: 'actionNonce',
      args: [account.address],
    }),
  )
  const deadline = Math.floor(Date.now() / 1_000) + validSeconds
  const message = { account: account.address, action, nonce, deadline }
  try {
    const signature = await walletClient.signTypedData({
      account,
      domain: eip712Domain({ chainId: connection.network.chainId, coordinator: to }),
      types: relayedActionTypes,
      primaryType: 'RelayedAction',
      message,
    })
    return { to, ...message, signature }
  } catch (cause) {
    throw chainError(cause, 'sign the action')
  }
}

export declare namespace signRelayedAction {
  type Parameters = {
    /** Which contract of the network acts. */
    contract: keyof typeof suiteAbis
    /** One of its functions, and its arguments. */
    functionName: string
    args: readonly unknown[]
    /** How long it may be sent; 600 when absent. */
    validSeconds?: number | undefined
  }
  /** Everything that a relayer needs. */
  type ReturnType = { to: Address; account: Address; action: Hex; nonce: bigint; deadline: number; signature: Hex }
}

function encode(abi: Abi, functionName: string, args: readonly unknown[]): Hex {
  try {
    return encodeFunctionData({ abi, functionName, args })
  } catch (cause) {
    throw new PeerHostError('request_invalid', `There is no action “${functionName}” with these arguments.`, { cause })
  }
}
