import { testUsdcAbi } from '@peerhost/protocol'
import { type Address, type Hex, isAddressEqual, type Log, parseEventLogs } from 'viem'
import type { AuthorizationUse } from '../payment/payment.ts'
import type { Client } from './transact.ts'

/** What the token says about an authorization since a block. */
export async function authorizationUse(
  { client, token: address }: { client: Client; token: Address },
  payer: Address,
  nonce: Hex,
  fromBlock: bigint,
): Promise<AuthorizationUse> {
  const token = { address, abi: testUsdcAbi } as const
  const isUsed = await client.readContract({ ...token, functionName: 'authorizationState', args: [payer, nonce] })
  if (!isUsed) return { type: 'unused' }
  const [used] = await client.getContractEvents({
    ...token,
    eventName: 'AuthorizationUsed',
    args: { authorizer: payer, nonce },
    fromBlock,
    strict: true,
  })
  if (!used) return { type: 'cancelled' }
  const receipt = await client.getTransactionReceipt({ hash: used.transactionHash })
  const transfer = transferAfter(receipt.logs, used, address, payer)
  return { type: 'used', transaction: used.transactionHash, to: transfer?.to, value: transfer?.value }
}

/** The payer's transfer that belongs to this use: the first one after it, before the payer's next use. */
function transferAfter(logs: readonly Log[], used: Log, token: Address, payer: Address) {
  const events = parseEventLogs({
    abi: testUsdcAbi,
    eventName: ['Transfer', 'AuthorizationUsed'],
    logs: logs.filter((log) => isAddressEqual(log.address, token)),
  })
  for (const event of events) {
    if (event.logIndex <= (used.logIndex ?? 0)) continue
    if (event.eventName === 'AuthorizationUsed') return undefined
    if (isAddressEqual(event.args.from, payer)) return event.args
  }
  return undefined
}
