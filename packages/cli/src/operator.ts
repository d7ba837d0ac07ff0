import { existsSync } from 'node:fs'
import type { DigestSigner, ProtocolDomain } from '@peerhost/protocol'
import type { OperatorDeps, WorkerDirectory } from '@peerhost/worker'
import type { Hex, PublicClient, Transport } from 'viem'
import { type CommandContext, type OptionSpec, UsageError } from './command.ts'
import { openConnection } from './openConnection.ts'
import { type AccountInput, accountOptions, type ConnectionInput, connectionOptions } from './sharedOptions.ts'

export type DirectoryInput = { directory?: string }
export type OperatorInput = ConnectionInput & AccountInput & DirectoryInput

/** Where a worker's settings and keystores are. */
export const directoryOption: OptionSpec = {
  flags: '--directory <dir>',
  description: 'of the worker (PEERHOST_WORKER_DIR; else ~/.peerhost/worker)',
}

/** Of the commands that bind an execution key. */
export const newKeyOption: OptionSpec = {
  flags: '--new',
  description: 'make a fresh key in the worker’s directory; restart the worker afterwards',
}

/** Options of every command that acts for an operator. */
export const operatorOptions: readonly OptionSpec[] = [directoryOption, ...connectionOptions, ...accountOptions]

/** How the network writes money: with the decimals of its own token. */
export type OperatorMoney = {
  symbol: string
  formatTokens: (amount: bigint) => string
  parseTokens: (text: string) => bigint
}

/** The chain as a command sees it, and the worker's own directory. */
export type OperatorNetwork = OperatorMoney & {
  client: PublicClient
  transport: Transport
  domain: ProtocolDomain
  directory: WorkerDirectory
  /** What the worker starts with; `undefined` where none was initialised. */
  settings: Record<string, string | undefined> | undefined
}

/** The execution key in a file, else the one of the worker's directory. Throws `UsageError` when there is neither. */
export async function readExecutionKey(
  context: CommandContext,
  { executionKeyFile, directory: named }: DirectoryInput & { executionKeyFile?: string | undefined },
): Promise<DigestSigner> {
  const { resolve } = await import('node:path')
  const { readKeyFile, unlockKeystore } = await import('./account.ts')
  const { createDigestSigner } = await import('@peerhost/protocol')
  const { workerDirectory } = await import('@peerhost/worker')
  const { executionKeystore } = workerDirectory(named, context.env, context.cwd)
  if (executionKeyFile?.endsWith('.json'))
    return createDigestSigner(await unlockKeystore(context, resolve(context.cwd, executionKeyFile)))
  if (executionKeyFile) return createDigestSigner(await readKeyFile(context, executionKeyFile))
  if (existsSync(executionKeystore)) return createDigestSigner(await unlockKeystore(context, executionKeystore))
  throw new UsageError(
    'The execution key is missing.',
    'peerhost worker init makes one; --execution-key-file names a keystore (.json) or a file of hex.',
  )
}

/** Makes a fresh execution key in the worker's directory and binds it; the old keystore is kept beside it. */
export async function bindFreshKey(
  context: CommandContext,
  input: DirectoryInput,
  bind: (key: DigestSigner) => Promise<Hex>,
): Promise<{ transaction: Hex; executionKey: Hex }> {
  const { readPassword } = await import('./account.ts')
  const { replaceExecutionKey, workerDirectory } = await import('@peerhost/worker')
  const directory = workerDirectory(input.directory, context.env, context.cwd)
  const password = await readPassword(context, 'Password of the worker’s keystores')
  return replaceExecutionKey({
    directory,
    password,
    bind: async (key) => ({ transaction: await bind(key), executionKey: key.address }),
  })
}

/** What the worker's operator actions need, for the caller's wallet; and how the network writes money. */
export async function openOperator(
  context: CommandContext,
  input: OperatorInput,
): Promise<OperatorDeps & OperatorNetwork> {
  const { readKey, unlockKeystore } = await import('./account.ts')
  const { createSender, workerDirectory } = await import('@peerhost/worker')
  const { operatorKeystore } = workerDirectory(input.directory, context.env, context.cwd)
  const named: Hex | undefined = await readKey(context, input)
  if (!named && !existsSync(operatorKeystore))
    throw new UsageError(
      'This acts for an operator and needs its wallet.',
      'peerhost worker init makes one; else give --account <keystore> or --key-file <file>, or set PEERHOST_KEY on a test network.',
    )
  const network = await openNetwork(context, input)
  const key = named ?? (await unlockKeystore(context, operatorKeystore))
  return { ...network, sender: createSender(network, key) }
}

/** The network that a gateway names, or else that of the worker's own settings. */
export async function openNetwork(
  context: CommandContext,
  input: ConnectionInput & DirectoryInput,
): Promise<OperatorNetwork> {
  const { readWorkerSettings, workerDirectory } = await import('@peerhost/worker')
  const directory = workerDirectory(input.directory, context.env, context.cwd)
  const settings = await readWorkerSettings(directory, context.env)
  const isGatewayNamed = Boolean(input.gateway ?? context.env.PEERHOST_GATEWAY)
  const network = settings && !isGatewayNamed ? await ownNetwork(settings, input) : await gatewayNetwork(context, input)
  const { formatUnits, parseUnits } = await import('viem')
  const { decimals } = network
  return {
    ...network,
    directory,
    settings,
    formatTokens: (amount) => formatUnits(amount, decimals),
    parseTokens: (text) => parseUnits(text, decimals),
  }
}

async function gatewayNetwork(context: CommandContext, input: ConnectionInput) {
  const { network, publicClient } = await openConnection(context, input)
  const { custom } = await import('viem')
  const domain: ProtocolDomain = { chainId: network.chainId, coordinator: network.coordinator }
  return {
    client: publicClient as PublicClient,
    transport: custom(publicClient) as Transport,
    domain,
    ...network.token,
  }
}

async function ownNetwork(settings: Record<string, string | undefined>, { rpcUrl }: ConnectionInput) {
  const { createChainClient, readOpenSettings, readSuite } = await import('@peerhost/worker')
  const { erc20Abi } = await import('viem')
  const { rpcUrls, chainId, coordinator } = readOpenSettings(settings)
  const { client, transport } = createChainClient({
    rpcUrls: rpcUrl ? [rpcUrl] : rpcUrls,
    chainId,
    pollingIntervalMs: 200,
  })
  const { token } = await readSuite(client, coordinator)
  const erc20 = { address: token, abi: erc20Abi } as const
  const [decimals, symbol] = await Promise.all([
    client.readContract({ ...erc20, functionName: 'decimals' }),
    client.readContract({ ...erc20, functionName: 'symbol' }),
  ])
  const domain: ProtocolDomain = { chainId, coordinator }
  return { client, transport, domain, decimals, symbol }
}
