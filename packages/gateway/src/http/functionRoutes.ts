import { PeerHostError } from '@peerhost/protocol'
import type { Request } from 'express'
import type { Address, Hex } from 'viem'
import { type FunctionCard, type FunctionRecord, functionCard } from '../registry/functionRecord.ts'
import type { FunctionRegistry } from '../registry/functionRegistry.ts'
import { type Exchange, writeJson } from './write.ts'

export type FunctionRouteDeps = {
  registry: Pick<FunctionRegistry, 'get' | 'list'>
  functionUrl: (record: FunctionRecord) => string
  asset: Address
}

const pageSize = 100

/** `GET /v1/functions?creator=&project=&priced=true&cursor=`: cards, a page at a time. */
export function listFunctions(deps: FunctionRouteDeps, request: Request, exchange: Exchange): void {
  const { creator, project, priced, cursor } = request.query
  const isWanted = (record: FunctionRecord) =>
    (typeof creator !== 'string' || record.creator.toLowerCase() === creator.toLowerCase()) &&
    (typeof project !== 'string' || record.project === project) &&
    (priced === undefined || record.state.price > 0n === (priced !== 'false'))
  const page: FunctionCard[] = []
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
    page.push(cardOf(deps, record))
  }
  if (!isAfterCursor) throw new PeerHostError('request_invalid', 'The cursor is not of this list.')
  writeJson(exchange, 200, { functions: page, ...(next === undefined ? {} : { cursor: next }) })
}

/** `GET /v1/functions/:functionId`. */
export function getFunction(deps: FunctionRouteDeps, request: Request, exchange: Exchange): void {
  const record = deps.registry.get(String(request.params.functionId).toLowerCase() as Hex)
  if (!record) throw new PeerHostError('function_not_found', 'There is no function with this id.')
  writeJson(exchange, 200, cardOf(deps, record))
}

function cardOf(deps: FunctionRouteDeps, record: FunctionRecord): FunctionCard {
  return functionCard(record, { url: deps.functionUrl(record), asset: deps.asset })
}
