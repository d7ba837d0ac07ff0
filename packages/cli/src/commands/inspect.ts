import { createCommand } from '../command.ts'
import { openConnection } from '../openConnection.ts'
import { type ConnectionInput, connectionOptions } from '../sharedOptions.ts'
import { formatTable } from '../table.ts'

type Input = ConnectionInput & { function: string }

/** `peerhost inspect <function>` */
export const inspectCommand = createCommand<Input>({
  name: 'inspect',
  summary: 'show one function: code, price, runtime, who runs it',
  examples: ['peerhost inspect weather/today', 'peerhost inspect 0x…'],
  arguments: [{ name: 'function', description: 'function id, URL, or project/name', required: true }],
  options: connectionOptions,
  run: async (context, input) => {
    const connection = await openConnection(context, input)
    const { findFunction } = await import('../functionReference.ts')
    const { getPrice } = await import('@peerhost/sdk')
    const card = await findFunction(connection, input.function, context.signal)
    const price = await getPrice(connection, { functionId: card.functionId })
    const rows = Object.entries({
      function: `${card.project}/${card.name}`,
      url: card.url,
      id: card.functionId,
      owner: price.owner,
      price: price.price === 0n ? 'free' : `${price.priceText} ${connection.network.token.symbol}`,
      payee: price.payee,
      payment: price.paymentMode,
      version: String(price.version),
      methods: card.methods.join(', '),
      bundle: card.bundleCid,
      metadata: card.metadataCid ?? 'none',
      runtime: card.runtimeDigest,
      quorum: String(card.quorum),
      assurance: card.assurance,
    }).map(([name, value]) => [context.colors.dim(name), value])
    const about = card.description ? `${card.description}\n\n` : ''
    return { data: { function: card, onChain: price }, text: about + formatTable(rows) }
  },
})
