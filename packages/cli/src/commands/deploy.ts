import { resolve } from 'node:path'
import { createCommand, parseAddress, parseAmount } from '../command.ts'
import { openAccount } from '../openConnection.ts'
import { type AccountInput, accountOptions, type ConnectionInput, connectionOptions } from '../sharedOptions.ts'

type Input = ConnectionInput &
  AccountInput & {
    directory?: string
    dryRun?: boolean
    credit?: string
    creditCap?: string
    bond?: boolean
    creator?: string
  }

/** `peerhost deploy [directory]` */
export const deployCommand = createCommand<Input>({
  name: 'deploy',
  summary: 'publish the functions of a folder',
  examples: ['peerhost deploy', 'peerhost deploy examples/weather --dry-run', 'peerhost deploy --credit 10'],
  arguments: [{ name: 'directory', description: 'project folder (default: this one)' }],
  options: [
    { flags: '--dry-run', description: 'build and show what would be published, send nothing' },
    {
      flags: '--credit <tokens>',
      description: 'bring the credit that pays the network for executions up to this',
      parse: parseAmount,
    },
    {
      flags: '--credit-cap <tokens>',
      description: 'most that the gateway may spend of it per epoch',
      parse: parseAmount,
    },
    { flags: '--bond', description: 'add the owner’s bond that lets juries judge deterministic functions' },
    {
      flags: '--creator <address>',
      description: 'whose functions they are, when this account owns them since a transfer',
      parse: parseAddress,
    },
    ...connectionOptions,
    ...accountOptions,
  ],
  run: async (context, input) => {
    const connection = await openAccount(context, input, 'developer')
    const { deploy } = await import('@peerhost/sdk/node')
    const { formatDeployment, formatProgress } = await import('../deployment.ts')
    const { blockStores } = await import('../blockStores.ts')
    const result = await deploy(connection, {
      directory: resolve(context.cwd, input.directory ?? '.'),
      stores: await blockStores(context.env),
      ...(input.bond ? { bond: true } : {}),
      ...(input.creator ? { creator: input.creator as `0x${string}` } : {}),
      ...(input.dryRun ? { dryRun: true } : {}),
      ...(input.credit ? { credit: { amount: input.credit, capPerEpoch: input.creditCap ?? input.credit } } : {}),
      onProgress: (event) => context.note(context.colors.dim(formatProgress(event))),
      signal: context.signal,
    })
    return { data: result, text: formatDeployment(result, context.colors) }
  },
})
