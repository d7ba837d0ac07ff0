import { PeerHostError } from '@peerhost/protocol'
import type { Hex } from 'viem'
import { z } from 'zod'
import type { Connection } from '../connection.ts'
import { requestGateway } from '../requestGateway.ts'
import { addressSchema, bytes32Schema } from '../schema.ts'

const requestStatusSchema = z.object({
  requestId: bytes32Schema,
  status: z.enum(['dispatched', 'executed', 'settled', 'failed']),
  functionId: bytes32Schema,
  operator: addressSchema.nullish().transform((value) => value ?? undefined),
  transaction: bytes32Schema.nullish().transform((value) => value ?? undefined),
  blockNumber: z
    .union([z.string(), z.number()])
    .nullish()
    .transform((value) => (value === null || value === undefined ? undefined : String(value))),
  index: z
    .number()
    .nullish()
    .transform((value) => value ?? undefined),
})

/** How far the gateway says a request is. A hint, not a proof: `verifyReceipt` reads the chain. */
export async function getRequest(
  connection: Connection,
  parameters: getRequest.Parameters,
): Promise<getRequest.ReturnType> {
  const status = await requestGateway(connection, {
    path: `/v1/requests/${parameters.requestId}`,
    schema: requestStatusSchema,
    signal: parameters.signal,
  })
  if (status.requestId === parameters.requestId.toLowerCase()) return status
  throw new PeerHostError('response_mismatch', 'The gateway answered with another request than the one asked for.', {
    hint: 'Do not use this gateway.',
  })
}

export declare namespace getRequest {
  type Parameters = { requestId: Hex; signal?: AbortSignal | undefined }
  type ReturnType = z.output<typeof requestStatusSchema>
}
