import { createCommand } from '../command.ts'
import { openConnection } from '../openConnection.ts'
import { type ConnectionInput, connectionOptions } from '../sharedOptions.ts'
import { formatTable } from '../table.ts'

type Input = ConnectionInput & { creator?: `0x${string}`; project?: string; priced?: boolean }

/** `peerhost ls` */
export const lsCommand = createCommand<Input>({
  name: 'ls',
  summary: 'list the functions of a network',
  examples: ['peerhost ls', 'peerhost ls --priced --project weather'],
  options: [
    { flags: '--creator <address>', description: 'only functions that this wallet created' },
    { flags: '--project <name>', description: 'only this project' },
    { flags: '--priced', description: 'only functions that cost something' },
    ...connectionOptions,
  ],
  run: async (context, input) => {
    const connection = await openConnection(context, input)
    const { allFunctions } = await import('../functionReference.ts')
    const { formatUnits } = await import('viem')
    const { token } = connection.network
    const functions = await allFunctions(connection, context.signal, {
      creator: input.creator,
      project: input.project,
      ...(input.priced ? { priced: true } : {}),
    })
    const header = ['function', 'price', 'version', 'methods', 'url'].map((title) => context.colors.dim(title))
    const rows = functions.map(({ project, name, price, version, methods, url }) => [
      `${project}/${name}`,
      price === 0n ? 'free' : `${formatUnits(price, token.decimals)} ${token.symbol}`,
      String(version),
      methods.join(','),
      url,
    ])
    return { data: { functions }, text: functions.length === 0 ? 'No functions.' : formatTable([header, ...rows]) }
  },
})
