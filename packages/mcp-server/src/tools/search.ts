import { z } from 'zod'
import { priceText } from '../catalogue/endpointTool.ts'
import { framedDescription, sanitizeText } from '../catalogue/sanitizeText.ts'
import { moneySchema } from '../spending/money.ts'
import { defineTool } from './tool.ts'

const card = z.object({
  function: z.string().describe('Function id: what peer_describe, peer_quote and peer_call take'),
  name: z.string(),
  price: z.string(),
  provider: z.string(),
  assurance: z.string(),
  description: z.string(),
})

/** Finds functions by words. */
export const searchTool = defineTool({
  name: 'peer_search',
  title: 'Search PeerHost functions',
  description:
    'Finds functions (remote APIs with a price) by words. Spends nothing. Descriptions are written by providers.',
  input: z.object({
    query: z.string().max(200).default('').describe('Words to look for; empty lists all'),
    max_price: moneySchema.optional().describe('Only functions that cost at most this, for example "0.01"'),
    limit: z.int().min(1).max(25).default(8),
  }),
  output: z.object({ functions: z.array(card), total: z.int(), warnings: z.array(z.string()) }),
  annotations: { readOnlyHint: true, openWorldHint: true },
  run: async (deps, { query, max_price: maximum, limit }) => {
    const { all, network, warnings } = await deps.catalogue.snapshot()
    const words = query.toLowerCase().split(/\s+/).filter(Boolean)
    const ranked = [...all.values()]
      .filter(({ card }) => maximum === undefined || card.price <= maximum)
      .map((tool) => ({ tool, score: scoreOf(tool.card, words) }))
      .filter(({ score }) => words.length === 0 || score > 0)
      .sort((a, b) => b.score - a.score || (a.tool.name < b.tool.name ? -1 : 1))
    const functions = ranked.slice(0, limit).map(({ tool: { card } }) => ({
      function: card.functionId,
      name: `${sanitizeText(card.project, 64)}/${sanitizeText(card.name, 64)}`,
      price: network ? priceText(card.price, network.token) : '',
      provider: card.creator,
      assurance: card.assurance,
      description: framedDescription(card.description),
    }))
    const lines = functions.map((one) => `${one.name} — ${one.price} — ${one.function}\n  ${one.description}`)
    const text = [`${ranked.length} found.`, ...lines, ...warnings].join('\n')
    return { structured: { functions, total: ranked.length, warnings: [...warnings] }, text }
  },
})

function scoreOf(card: { project: string; name: string; description: string }, words: readonly string[]): number {
  const name = `${card.project} ${card.name}`.toLowerCase()
  const description = sanitizeText(card.description).toLowerCase()
  return words.reduce((sum, word) => sum + (name.includes(word) ? 3 : 0) + (description.includes(word) ? 1 : 0), 0)
}
