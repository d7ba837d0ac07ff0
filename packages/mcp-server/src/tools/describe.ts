import { z } from 'zod'
import { priceText } from '../catalogue/endpointTool.ts'
import { portableSchema } from '../catalogue/portableSchema.ts'
import { framedDescription, sanitizeText } from '../catalogue/sanitizeText.ts'
import { defineTool } from './tool.ts'

export const functionReference = z.string().min(1).max(400).describe('Function id, URL, project/function, or tool name')

/** Everything known of one function. */
export const describeTool = defineTool({
  name: 'peer_describe',
  title: 'Describe a PeerHost function',
  description: 'Schema, price, payee and assurance of one function. Spends nothing.',
  input: z.object({ function: functionReference }),
  output: z.object({
    function: z.string(),
    tool: z.string(),
    name: z.string(),
    description: z.string(),
    methods: z.array(z.string()),
    price: z.object({
      amount: z.string(),
      text: z.string(),
      asset: z.string(),
      network: z.string(),
      pay_to: z.string(),
    }),
    charged: z.string(),
    provider: z.string(),
    owner: z.string(),
    version: z.int(),
    assurance: z.string(),
    deterministic: z.boolean(),
    arguments: z.unknown().describe('JSON Schema of `arguments` of peer_call'),
    result: z.unknown().describe('What the provider says the result looks like (unverified)'),
    notes: z.array(z.string()),
  }),
  annotations: { readOnlyHint: true, openWorldHint: true },
  run: async (deps, { function: reference }, signal) => {
    const { tool, network } = await deps.catalogue.find(reference, signal)
    const { card, shape } = tool
    const result = card.output === undefined ? undefined : portableSchema(card.output)
    const structured = {
      function: card.functionId,
      tool: tool.name,
      name: `${sanitizeText(card.project, 64)}/${sanitizeText(card.name, 64)}`,
      description: framedDescription(card.description),
      methods: card.methods.map((method) => sanitizeText(method, 16)),
      price: {
        amount: card.price.toString(),
        text: priceText(card.price, network.token),
        asset: card.asset,
        network: `eip155:${network.chainId}`,
        pay_to: card.payee,
      },
      charged: card.paymentMode === 'upfront' ? 'before it runs' : 'only on success',
      provider: card.creator,
      owner: card.owner,
      version: card.version,
      assurance: card.assurance,
      deterministic: card.deterministic,
      arguments: shape.schema,
      result: result?.type === 'portable' ? result.strict : null,
      notes: shape.notes.map((note) => sanitizeText(note, 200)),
    }
    return { structured, text: JSON.stringify(structured, null, 1) }
  },
})
