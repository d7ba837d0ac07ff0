import type { Connection } from '@peerhost/sdk'
import type { PrivateKeyAccount } from 'viem/accounts'
import { type CommandContext, UsageError } from './command.ts'
import { type AccountInput, type ConnectionInput, defaultPort } from './sharedOptions.ts'

/** Who acts on a devnet when no key is given: its keys are known to everyone. */
export type DevnetRole = 'developer' | 'payer'

/** The gateway's URL that the command line, the environment or the default names. */
export function gatewayUrlOf(context: CommandContext, input: ConnectionInput): string {
  return (input.gateway ?? context.env.PEERHOST_GATEWAY ?? `http://127.0.0.1:${defaultPort}`).replace(/\/+$/, '')
}

/** Connects for reading. */
export async function openConnection(context: CommandContext, input: ConnectionInput): Promise<Connection> {
  return connectAs(context, input, undefined)
}

/** Connects with the caller's account; on a devnet of this machine one of its own accounts stands in. */
export async function openAccount(
  context: CommandContext,
  input: ConnectionInput & AccountInput,
  role: DevnetRole,
): Promise<Connection & { account: PrivateKeyAccount }> {
  const connection = await openOptionalAccount(context, input, role)
  const { account } = connection
  if (account) return { ...connection, account: account as PrivateKeyAccount }
  throw new UsageError(
    'This needs an account.',
    'Give --account <keystore> or --key-file <file>, or set PEERHOST_KEY on a test network.',
  )
}

/** The same, but without an account where none is given and the network is not a devnet of this machine. */
export async function openOptionalAccount(
  context: CommandContext,
  input: ConnectionInput & AccountInput,
  role: DevnetRole,
): Promise<Connection> {
  const { readAccount } = await import('./account.ts')
  const account = await readAccount(context, input)
  const connection = await connectAs(context, input, account)
  if (account || !isLoopback(connection.gatewayUrl)) return connection
  const { DEVNET_CHAIN_ID, devnetAccounts } = await import('@peerhost/devnet')
  if (connection.network.chainId !== DEVNET_CHAIN_ID) return connection
  const standIn = devnetAccounts(0)[role]
  context.note(context.colors.dim(`devnet: acting as its ${role} ${standIn.address}`))
  return connectAs(context, input, standIn as unknown as PrivateKeyAccount)
}

async function connectAs(
  context: CommandContext,
  input: ConnectionInput,
  account: PrivateKeyAccount | undefined,
): Promise<Connection> {
  const { connect } = await import('@peerhost/sdk')
  return connect({
    gatewayUrl: gatewayUrlOf(context, input),
    rpcUrl: input.rpcUrl ?? context.env.PEERHOST_RPC_URL,
    account,
    pollingIntervalMs: 200,
    signal: context.signal,
  })
}

function isLoopback(url: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(url).hostname)
}
