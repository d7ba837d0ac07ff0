import { PeerHostError } from '@peerhost/protocol'
import type { Request } from 'express'
import type { Address, Hex } from 'viem'
import type { Judgements } from '../court/judgements.ts'
import { type FunctionCard, type FunctionRecord, functionCard } from '../registry/functionRecord.ts'
import type { FunctionRegistry } from '../registry/functionRegistry.ts'
import { type Exchange, writeJson } from './write.ts'

export type FunctionRouteDeps = {
  registry: Pick<FunctionRegistry, 'get' | 'list'>
  functionUrl: (record: FunctionRecord) => string
  asset: Address
  judgements: Judgements
}

const pageSize = 100

/** `GET /v1/functions?creator=&project=&priced=true&cursor=`: cards, a page at a time. */
export async function listFunctions(deps: FunctionRouteDeps, request: Request, exchange: Exchange): Promise<void> {
  const { creator, project, priced, cursor } = request.query
  const isWanted = (record: FunctionRecord) =>
    (typeof creator !== 'string' || record.creator.toLowerCase() === creator.toLowerCase()) &&
    (typeof project !== 'string' || record.project === project) &&
    (priced === undefined || record.state.price > 0n === (priced !== 'false'))
  const page: FunctionRecord[] = []
  let isAfterCursor = typeof cursor !== 'string'
  let next: Hex | undefined
  for (const record of deps.registry.list()) {
    if (!isAfterCursor) {
      isAfterCursor = record.functionId === cursor
      continue
    }
    if (!isWanted(record)) continue
    const last = page.at(-1)
    if (page.length === pageSize && last) {
      next = last.functionId
      break
    }
    page.push(record)
  }
  if (!isAfterCursor) throw new PeerHostError('request_invalid', 'The cursor is not of this list.')
  const functions = await Promise.all(page.map((record) => cardOf(deps, record)))
  writeJson(exchange, 200, { functions, ...(next === undefined ? {} : { cursor: next }) })
}

/** `GET /v1/functions/:functionId`. */
export async function getFunction(deps: FunctionRouteDeps, request: Request, exchange: Exchange): Promise<void> {
  const record = deps.registry.get(String(request.params.functionId).toLowerCase() as Hex)
  if (!record) throw new PeerHostError('function_not_found', 'There is no function with this id.')
  writeJson(exchange, 200, await cardOf(deps, record))
}

async function cardOf(deps: FunctionRouteDeps, record: FunctionRecord): Promise<FunctionCard> {
  // What cannot be asked now is not promised.
  const judged = await deps.judgements.isJudged(record).catch(() => false)
  return functionCard(record, { url: deps.functionUrl(record), asset: deps.asset, judged })
}
