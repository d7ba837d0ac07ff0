import { createCommand, parseAmount } from '../command.ts'
import { openAccount } from '../openConnection.ts'
import { type AccountInput, accountOptions, type ConnectionInput, connectionOptions } from '../sharedOptions.ts'

type Input = ConnectionInput & AccountInput & { function: string; price: string; payee?: `0x${string}` }

/** `peerhost price set <function> <price>` */
export const priceSetCommand = createCommand<Input>({
  name: 'price set',
  summary: 'change what a call costs, from the next quote on',
  examples: ['peerhost price set weather/forecast 0.002', 'peerhost price set weather/forecast 0'],
  arguments: [
    { name: 'function', description: 'function id, URL, or project/name', required: true },
    { name: 'price', description: 'decimal tokens; 0 makes it free', required: true },
  ],
  options: [
    { flags: '--payee <address>', description: 'who receives the price; unchanged when absent' },
    ...connectionOptions,
    ...accountOptions,
  ],
  run: async (context, input) => {
    const price = parseAmount(input.price)
    const connection = await openAccount(context, input, 'developer')
    const { findFunction } = await import('../functionReference.ts')
    const { setPrice } = await import('@peerhost/sdk')
    const { functionId } = await findFunction(connection, input.function, context.signal)
    const set = await setPrice(connection, { functionId, price, payee: input.payee, signal: context.signal })
    return { data: set, text: `${set.priceText} ${connection.network.token.symbol}\ntransaction ${set.transaction}` }
  },
})
