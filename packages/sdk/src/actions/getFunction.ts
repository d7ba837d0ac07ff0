import { PeerHostError } from '@peerhost/protocol'
import type { Hex } from 'viem'
import type { Connection } from '../connection.ts'
import { type FunctionCard, functionCardSchema } from '../functionCard.ts'
import { requestGateway } from '../requestGateway.ts'

/** One function of the gateway's catalogue. Throws `function_not_found` and `gateway_unavailable`. */
export async function getFunction(
  connection: Connection,
  parameters: getFunction.Parameters,
): Promise<getFunction.ReturnType> {
  const card = await requestGateway(connection, {
    path: `/v1/functions/${parameters.functionId}`,
    schema: functionCardSchema,
    signal: parameters.signal,
  })
  if (card.functionId === parameters.functionId.toLowerCase()) return card
  throw new PeerHostError('response_mismatch', 'The gateway answered with another function than the one asked for.', {
    details: [`Asked: ${parameters.functionId}`, `Got: ${card.functionId}`],
    hint: 'Do not use this gateway.',
  })
}

export declare namespace getFunction {
  type Parameters = { functionId: Hex; signal?: AbortSignal | undefined }
  type ReturnType = FunctionCard
}
