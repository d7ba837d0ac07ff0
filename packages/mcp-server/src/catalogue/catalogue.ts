import { isPeerHostError, PeerHostError, sameHex } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { FunctionCard, Network, PeerHostPort } from '../peerHostPort.ts'
import { type EndpointTool, endpointTool } from './endpointTool.ts'
import { toolNames } from './toolName.ts'

/** Which functions become tools of their own; the others are found with `peer_search`. */
export type Expose = 'auto' | 'pinned' | 'search' | 'all'

export type CatalogueDeps = {
  port: Pick<PeerHostPort, 'network' | 'listFunctions' | 'getFunction'>
  expose: Expose
  owners: readonly Address[]
  projects: readonly string[]
  /** Function ids that the policy pins. */
  pinned: () => Promise<readonly string[]>
  nowMs: () => number
}

/** The functions of the network as of one moment. */
export type Snapshot = {
  network: Network | undefined
  /** In the order of their names, so that a list never changes by itself. */
  tools: readonly EndpointTool[]
  /** Every function that is usable as a tool, exposed or not, by id. */
  all: ReadonlyMap<Hex, EndpointTool>
  /** Functions that cannot be tools, and why. */
  omitted: readonly { functionId: Hex; reason: string }[]
  warnings: readonly string[]
}

export type Catalogue = {
  /** At most a minute old. Never throws: a gateway that is away gives the last snapshot and a warning. */
  snapshot: () => Promise<Snapshot>
  /** One function by id, URL, `project/function` or tool name. Throws `function_not_found`. */
  find: (reference: string, signal: AbortSignal) => Promise<{ tool: EndpointTool; network: Network }>
  /** Asks again at the next snapshot. */
  expire: () => void
}

/** How long a listing is used, and the cache hint of tools/list. */
export const catalogueTtlMs = 60_000

/** Above this, tools crowd the model's context; then only what is configured or pinned is exposed. */
const comfortableTools = 40
const loadTimeoutMs = 15_000
const maximumPages = 20
const maximumExposed = 120

/** The catalogue of one gateway, with a short memory. */
export function createCatalogue(deps: CatalogueDeps): Catalogue {
  let last: { snapshot: Snapshot; atMs: number } | undefined
  let pending: Promise<Snapshot> | undefined

  const refresh = async (): Promise<Snapshot> => {
    try {
      // Not a caller's signal: others wait for the same listing.
      const snapshot = await loadSnapshot(deps, AbortSignal.timeout(loadTimeoutMs))
      last = { snapshot, atMs: deps.nowMs() }
      return snapshot
    } catch (error) {
      const reason = reasonOf(error)
      const base = last?.snapshot ?? { network: undefined, tools: [], all: new Map(), omitted: [], warnings: [] }
      return { ...base, warnings: [`The catalogue could not be read: ${reason}`] }
    }
  }
  const snapshot = (): Promise<Snapshot> => {
    if (last && deps.nowMs() - last.atMs < catalogueTtlMs) return Promise.resolve(last.snapshot)
    pending ??= refresh().finally(() => {
      pending = undefined
    })
    return pending
  }
  return {
    snapshot,
    expire: () => {
      if (last) last.atMs = Number.NEGATIVE_INFINITY
    },
    find: async (reference, signal) => {
      const { all, network } = await snapshot()
      const known = network && findTool(all, reference)
      if (known) return { tool: known, network }
      if (/^0x[0-9a-f]{64}$/i.test(reference)) return findById(deps, reference.toLowerCase() as Hex, signal)
      throw new PeerHostError('function_not_found', 'No function of this catalogue has that name.', {
        hint: 'Use peer_search, then its `function` value: a function id.',
      })
    },
  }
}

function reasonOf(error: unknown): string {
  if (isPeerHostError(error)) return `${error.code}: ${error.message}`
  if (error instanceof Error && error.name === 'TimeoutError') return 'the gateway did not answer in time'
  throw error
}

function findTool(all: ReadonlyMap<Hex, EndpointTool>, reference: string): EndpointTool | undefined {
  const direct = all.get(reference.toLowerCase() as Hex)
  if (direct) return direct
  const matches = [...all.values()].filter(
    ({ name, card }) => name === reference || card.url === reference || `${card.project}/${card.name}` === reference,
  )
  // Two owners may use one name; guessing would pay the wrong one.
  return matches.length === 1 ? matches[0] : undefined
}

async function findById(deps: CatalogueDeps, functionId: Hex, signal: AbortSignal) {
  const [network, card] = await Promise.all([deps.port.network(signal), deps.port.getFunction(functionId, signal)])
  const name = toolNames([card]).get(card.functionId) ?? functionId
  const made = endpointTool(name, card, context(network))
  if (made.type === 'tool') return { tool: made.tool, network }
  throw new PeerHostError('request_invalid', `This function cannot be called as a tool: ${made.reason}.`)
}

async function loadSnapshot(deps: CatalogueDeps, signal: AbortSignal): Promise<Snapshot> {
  const network = await deps.port.network(signal)
  const cards = await listAll(deps, signal)
  const names = toolNames(cards)
  const all = new Map<Hex, EndpointTool>()
  const omitted: { functionId: Hex; reason: string }[] = []
  for (const card of cards) {
    const made = endpointTool(names.get(card.functionId) ?? card.functionId, card, context(network))
    if (made.type === 'tool') all.set(card.functionId, made.tool)
    else omitted.push({ functionId: card.functionId, reason: made.reason })
  }
  const chosen = exposed(deps, [...all.values()], await deps.pinned())
  const tools = chosen.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, maximumExposed)
  return { network, tools, all, omitted, warnings: countWarnings(deps.expose, chosen.length) }
}

function countWarnings(expose: Expose, count: number): string[] {
  const warnings: string[] = []
  if (expose === 'all' && count > comfortableTools)
    warnings.push(`${count} tools are more than most models handle well.`)
  if (count > maximumExposed) warnings.push(`Only the first ${maximumExposed} of ${count} functions are tools.`)
  return warnings
}

function exposed(deps: CatalogueDeps, tools: EndpointTool[], pinned: readonly string[]): EndpointTool[] {
  const isPinned = ({ card }: EndpointTool) => pinned.includes(card.functionId)
  const isConfigured = deps.owners.length > 0 || deps.projects.length > 0
  switch (deps.expose) {
    case 'search':
      return []
    case 'pinned':
      return tools.filter(isPinned)
    case 'all':
      return tools
    case 'auto':
      return isConfigured || tools.length <= comfortableTools ? tools : tools.filter(isPinned)
  }
}

async function listAll(deps: CatalogueDeps, signal: AbortSignal): Promise<FunctionCard[]> {
  const owners = deps.owners.length > 0 ? deps.owners : [undefined]
  const projects = deps.projects.length > 0 ? deps.projects : [undefined]
  const cards = new Map<Hex, FunctionCard>()
  for (const creator of owners) {
    for (const project of projects) {
      let cursor: string | undefined
      for (let page = 0; page < maximumPages; page++) {
        const filter = { ...(creator && { creator }), ...(project && { project }), ...(cursor && { cursor }) }
        const answer = await deps.port.listFunctions(filter, signal)
        for (const card of answer.functions) if (isAsked(card, creator, project)) cards.set(card.functionId, card)
        cursor = answer.cursor
        if (cursor === undefined) break
      }
    }
  }
  return [...cards.values()]
}

function isAsked(card: FunctionCard, creator: Address | undefined, project: string | undefined): boolean {
  return (
    (creator === undefined || sameHex(card.creator, creator)) && (project === undefined || card.project === project)
  )
}

function context(network: Network) {
  return { token: network.token, network: `eip155:${network.chainId}` }
}
