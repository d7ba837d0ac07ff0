import { fromJsonSchema, type StandardSchemaWithJSON } from '@modelcontextprotocol/server'
import { formatUnits } from 'viem'
import type { FunctionCard, Token } from '../peerHostPort.ts'
import { type CallShape, callShape } from './callShape.ts'
import { framedDescription, sanitizeText } from './sanitizeText.ts'

/** One function as a tool, with everything of its provider made safe. */
export type EndpointTool = {
  name: string
  title: string
  description: string
  card: FunctionCard
  shape: CallShape
  inputSchema: StandardSchemaWithJSON
  meta: Record<string, unknown>
}

/** `0.002 USDC`, or `free`. The symbol is the gateway's word: only letters and digits pass. */
export function priceText(amount: bigint, token: Token): string {
  if (amount === 0n) return 'free'
  const symbol = token.symbol.replace(/[^A-Za-z0-9.]/g, '').slice(0, 12) || 'tokens'
  return `${formatUnits(amount, token.decimals)} ${symbol}`
}

/** The tool of one function, or why there can be none. */
export function endpointTool(
  name: string,
  card: FunctionCard,
  { token, network }: { token: Token; network: string },
): { type: 'tool'; tool: EndpointTool } | { type: 'omitted'; reason: string } {
  try {
    const derived = callShape(card)
    if (derived.type === 'unusable') return { type: 'omitted', reason: derived.reason }
    const { shape } = derived
    const inputSchema = fromJsonSchema(shape.schema)
    // Compiled here, not at the first call, so that one bad schema costs one tool and not a request.
    inputSchema['~standard'].validate({})
    const price = priceText(card.price, token)
    const title = `${sanitizeText(card.project, 64)}/${sanitizeText(card.name, 64)} (${price})`
    return {
      type: 'tool',
      tool: {
        name,
        title,
        description: describe(card, price, shape),
        card,
        shape,
        inputSchema,
        meta: {
          'dev.peerhost/price': {
            amount: card.price.toString(),
            asset: card.asset,
            network,
            payTo: card.payee,
            decimals: token.decimals,
            text: price,
          },
          'dev.peerhost/function': card.functionId,
        },
      },
    }
  } catch (error) {
    return {
      type: 'omitted',
      reason: `the input schema does not compile: ${sanitizeText((error as Error).message, 160)}`,
    }
  }
}

function describe(card: FunctionCard, price: string, shape: CallShape): string {
  const charged = card.paymentMode === 'upfront' ? 'charged before it runs' : 'charged only on success'
  const cost = card.price === 0n ? 'Free.' : `Costs ${price} per call, ${charged}.`
  const notes = shape.notes.length === 0 ? [] : [`Input: ${sanitizeText(shape.notes.join('; '), 300)}.`]
  return [cost, `PeerHost function of provider ${card.creator}.`, framedDescription(card.description), ...notes].join(
    '\n',
  )
}
