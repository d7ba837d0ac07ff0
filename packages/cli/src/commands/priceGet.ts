import { createCommand } from '../command.ts'
import { openConnection } from '../openConnection.ts'
import { type ConnectionInput, connectionOptions } from '../sharedOptions.ts'

type Input = ConnectionInput & { function: string }

/** `peerhost price get <function>` */
export const priceGetCommand = createCommand<Input>({
  name: 'price get',
  summary: 'read a function’s price from the chain',
  examples: ['peerhost price get weather/forecast'],
  arguments: [{ name: 'function', description: 'function id, URL, or project/name', required: true }],
  options: connectionOptions,
  run: async (context, input) => {
    const connection = await openConnection(context, input)
    const { findFunction } = await import('../functionReference.ts')
    const { getPrice } = await import('@peerhost/sdk')
    const { functionId } = await findFunction(connection, input.function, context.signal)
    const price = await getPrice(connection, { functionId })
    return { data: price, text: `${price.priceText} ${connection.network.token.symbol}, paid to ${price.payee}` }
  },
})
