import type { DigestSigner } from '@peerhost/protocol'
import type { OperatorDeps } from '@peerhost/worker'
import type { Hex } from 'viem'
import { readKey } from './account.ts'
import { type CommandContext, UsageError } from './command.ts'
import { openConnection } from './openConnection.ts'
import type { AccountInput, ConnectionInput } from './sharedOptions.ts'

/** How the network writes money: with the decimals of its own token. */
export type OperatorMoney = {
  symbol: string
  formatTokens: (amount: bigint) => string
  parseTokens: (text: string) => bigint
}

/** The execution key in a file. Throws `UsageError` and says how to make one when no file is named. */
export async function readExecutionKey(context: CommandContext, file: string | undefined): Promise<DigestSigner> {
  if (!file)
    throw new UsageError(
      'The execution key is missing.',
      'Make one with: (umask 077; openssl rand -hex 32 > worker.key), then --execution-key-file worker.key.',
    )
  const { readKeyFile } = await import('./account.ts')
  const { createDigestSigner } = await import('@peerhost/protocol')
  return createDigestSigner(readKeyFile(context, file))
}

/** What the worker's operator actions need, for the caller's wallet; and how the network writes money. */
export async function openOperator(
  context: CommandContext,
  input: ConnectionInput & AccountInput,
): Promise<OperatorDeps & OperatorMoney> {
  const key: Hex | undefined = await readKey(context, input)
  if (!key)
    throw new UsageError(
      'This acts for an operator and needs its wallet.',
      'Give --account <keystore> or --key-file <file>, or set PEERHOST_KEY on a test network.',
    )
  const { network, publicClient } = await openConnection(context, input)
  const { createSender } = await import('@peerhost/worker')
  const { custom, formatUnits, parseUnits } = await import('viem')
  const { decimals } = network.token
  return {
    client: publicClient,
    domain: { chainId: network.chainId, coordinator: network.coordinator },
    sender: createSender({ client: publicClient, transport: custom(publicClient) }, key),
    symbol: network.token.symbol,
    formatTokens: (amount) => formatUnits(amount, decimals),
    parseTokens: (text) => parseUnits(text, decimals),
  }
}
