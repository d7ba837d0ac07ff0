import type { NetworkInfo } from '@peerhost/sdk'
import { type CommandContext, createCommand, parseInteger, UsageError } from '../command.ts'
import { type DirectoryInput, directoryOption } from '../operator.ts'
import { type AccountInput, accountOptions, type ConnectionInput, connectionOptions } from '../sharedOptions.ts'

type Input = ConnectionInput & AccountInput & DirectoryInput & { capacity: number; metricsPort: number }

/** `peerhost worker init` */
export const workerInitCommand = createCommand<Input>({
  name: 'worker init',
  summary: 'make the keys and settings of a worker, for the network of a gateway',
  examples: [
    'peerhost worker init --gateway https://gateway.example --rpc-url wss://one.example,https://two.example',
    'peerhost worker init --account operator --directory /var/lib/peerhost',
  ],
  options: [
    directoryOption,
    {
      flags: '--capacity <jobs>',
      description: 'how many executions to run at once',
      default: '4',
      parse: parseInteger(1, 1_000),
    },
    {
      flags: '--metrics-port <port>',
      description: 'where metrics and status are served, on loopback',
      default: '9464',
      parse: parseInteger(1, 65_535),
    },
    ...connectionOptions,
    ...accountOptions,
  ],
  run: async (context, input) => {
    const { createWorkerDirectory, workerDirectory } = await import('@peerhost/worker')
    const { readKey } = await import('../account.ts')
    const directory = workerDirectory(input.directory, context.env, context.cwd)
    const { network, gatewayUrl, rpcUrls } = await findNetwork(context, input)
    const operatorKey = await readKey(context, input)
    const made = await createWorkerDirectory(
      directory,
      {
        rpcUrls,
        chainId: network.chainId,
        coordinator: network.coordinator as `0x${string}`,
        gateways: [network.workerUrl ?? `${gatewayUrl.replace(/^http/, 'ws')}/v1/worker`],
        blockSources: [gatewayUrl],
        capacity: Number(input.capacity),
        metricsPort: Number(input.metricsPort),
      },
      { password: await newPassword(context), operatorKey },
    )
    return {
      data: { directory: directory.path, settings: directory.settings, ...made },
      text: [
        `settings       ${directory.settings}`,
        `operator       ${made.operator}: send it ${network.token.symbol} for the stake and the chain’s coin for gas`,
        `execution key  ${made.executionKey}: send it a little of the chain’s coin, for settling by itself`,
        '',
        'Next: peerhost worker doctor, peerhost worker stake, peerhost worker start.',
        'There is no other copy of the keys: back up the keystores and the password.',
      ].join('\n'),
    }
  },
})

async function findNetwork(
  context: CommandContext,
  input: ConnectionInput,
): Promise<{ network: NetworkInfo; gatewayUrl: string; rpcUrls: readonly string[] }> {
  const { openConnection } = await import('../openConnection.ts')
  const named = (input.rpcUrl ?? context.env.PEERHOST_RPC_URL ?? '').split(',').map((url) => url.trim())
  const given = named.filter((url) => url !== '')
  const wrong = given.find((url) => !URL.canParse(url) || !/^(wss?|https?):/.test(url))
  if (wrong) throw new UsageError(`“${wrong}” is not the address of an RPC.`, 'Write ws(s):// or http(s)://.')
  const { probeEndpoints } = await import('@peerhost/worker')
  const probes = await probeEndpoints(given)
  const answering = given.find((url, index) => url.startsWith('http') && probes[index]?.type === 'answers')
  const reading = { ...context, env: { ...context.env, PEERHOST_RPC_URL: answering } }
  const { network, gatewayUrl } = await openConnection(reading, input.gateway ? { gateway: input.gateway } : {})
  for (const probe of probes)
    if (probe.type === 'answers' && probe.chainId !== network.chainId)
      throw new UsageError(`${probe.endpoint} is of chain ${probe.chainId}, the gateway of ${network.chainId}.`)
  const rpcUrls = given.length > 0 ? given : [network.rpcUrl].filter((url) => url !== undefined)
  if (rpcUrls.length > 0) return { network, gatewayUrl, rpcUrls }
  throw new UsageError('This gateway names no RPC.', 'Give --rpc-url, several separated by commas.')
}

async function newPassword(context: CommandContext): Promise<string> {
  const { readPassword } = await import('../account.ts')
  const password = await readPassword(context, 'New password for both keystores')
  if (!context.isInteractive || context.env.PEERHOST_KEYSTORE_PASSWORD_FILE || context.env.PEERHOST_PASSWORD)
    return password
  if ((await readPassword(context, 'The same password again')) === password) return password
  throw new UsageError('The two passwords differ.', 'Nothing was written: begin again.')
}
