import type { OperatorDeps } from '@peerhost/worker'
import type { Hex } from 'viem'
import { readKey } from './account.ts'
import { type CommandContext, UsageError } from './command.ts'
import { openConnection } from './openConnection.ts'
import type { AccountInput, ConnectionInput } from './sharedOptions.ts'

/** What the worker's operator actions need, for the caller's wallet; and how the network writes money. */
export async function openOperator(
  context: CommandContext,
  input: ConnectionInput & AccountInput,
): Promise<OperatorDeps & { symbol: string; formatTokens: (amount: bigint) => string }> {
  const key: Hex | undefined = await readKey(context, input)
  if (!key)
    throw new UsageError(
      'This acts for an operator and needs its wallet.',
      'Give --account <keystore> or --key-file <file>, or set PEERHOST_KEY on a test network.',
    )
  const { network, publicClient } = await openConnection(context, input)
  const { createSender } = await import('@peerhost/worker')
  const { custom, formatUnits } = await import('viem')
  return {
    client: publicClient,
    domain: { chainId: network.chainId, coordinator: network.coordinator },
    sender: createSender({ client: publicClient, transport: custom(publicClient) }, key),
    symbol: network.token.symbol,
    formatTokens: (amount) => formatUnits(amount, network.token.decimals),
  }
}
