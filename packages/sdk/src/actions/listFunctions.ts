import type { Address } from 'viem'
import { z } from 'zod'
import type { Connection } from '../connection.ts'
import { type FunctionCard, functionCardSchema } from '../functionCard.ts'
import { requestGateway } from '../requestGateway.ts'

const pageSchema = z.object({ functions: z.array(functionCardSchema), cursor: z.string().optional() })

/** One page of the gateway's catalogue; pass `cursor` of the answer to get the next. Throws `gateway_unavailable`. */
export async function listFunctions(
  connection: Connection,
  parameters: listFunctions.Parameters = {},
): Promise<listFunctions.ReturnType> {
  const query = new URLSearchParams()
  if (parameters.creator) query.set('creator', parameters.creator)
  if (parameters.project) query.set('project', parameters.project)
  if (parameters.priced !== undefined) query.set('priced', String(parameters.priced))
  if (parameters.cursor) query.set('cursor', parameters.cursor)
  const path = `/v1/functions${query.size === 0 ? '' : `?${query}`}`
  return requestGateway(connection, { path, schema: pageSchema, signal: parameters.signal })
}

export declare namespace listFunctions {
  type Parameters = {
    creator?: Address | undefined
    project?: string | undefined
    /** Only functions with a price, or only free ones. */
    priced?: boolean | undefined
    cursor?: string | undefined
    signal?: AbortSignal | undefined
  }
  type ReturnType = { functions: FunctionCard[]; cursor?: string | undefined }
}
