import { z } from 'zod'
import type { Fetch } from './connection.ts'
import { requestGateway } from './requestGateway.ts'
import { addressSchema, bytes32Schema } from './schema.ts'

const networkSchema = z.object({
  chainId: z.int().positive(),
  networkName: z.string().max(100),
  coordinator: addressSchema,
  registry: addressSchema,
  token: z.object({
    address: addressSchema,
    name: z.string().max(100),
    version: z.string().max(20),
    symbol: z.string().max(20),
    decimals: z.int().min(0).max(36),
  }),
  /** The gateway's signing address: whom a funder grants a credit line. */
  requester: addressSchema,
  gatewayUrl: z.string(),
  workerUrl: z.string().optional(),
  x402: z.object({ facilitatorUrl: z.string(), networks: z.array(z.string()) }),
  /** Runtime images of the workers that are connected now. */
  runtimeDigests: z.array(bytes32Schema),
  workers: z.int().nonnegative(),
  rpcUrl: z.string().optional(),
})

/** What a gateway says about the network it serves (`GET /v1/network`). */
export type NetworkInfo = z.output<typeof networkSchema>

/** Asks a gateway for its network, anew. */
export async function fetchNetwork(
  gateway: { gatewayUrl: string; fetch: Fetch },
  signal?: AbortSignal,
): Promise<NetworkInfo> {
  return requestGateway(gateway, { path: '/v1/network', schema: networkSchema, signal })
}
