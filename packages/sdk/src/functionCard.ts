import { lanes, paymentModes } from '@peerhost/protocol'
import { z } from 'zod'
import { addressSchema, atomicSchema, bytes32Schema } from './schema.ts'

/** One function as a gateway's catalogue shows it. What it says about money, `getPrice` reads from the chain. */
export const functionCardSchema = z.object({
  functionId: bytes32Schema,
  creator: addressSchema,
  owner: addressSchema,
  project: z.string(),
  name: z.string(),
  version: z.int().nonnegative(),
  url: z.string(),
  methods: z.array(z.string()),
  description: z.string().optional(),
  /** JSON Schema of the input. */
  input: z.unknown().optional(),
  /** JSON Schema of the output. */
  output: z.unknown().optional(),
  /** Atomic units of `asset`; parses to a bigint. */
  price: atomicSchema,
  asset: addressSchema,
  payee: addressSchema,
  paymentMode: namedOrNumbered(paymentModes),
  limitsClass: z.union([z.int(), z.string()]),
  lane: namedOrNumbered(lanes),
  quorum: z.int(),
  deterministic: z.boolean(),
  bundleCid: z.string(),
  metadataCid: z.string().optional(),
  runtimeDigest: bytes32Schema,
  /** What the owner pays the network for one execution, in atomic units. */
  fee: atomicSchema,
  assurance: z.enum(['verified', 'operator-signed']),
})

export type FunctionCard = z.output<typeof functionCardSchema>

/** Names, or their numbers on chain (the first is 1): parses to the name. */
function namedOrNumbered<const T extends readonly [string, ...string[]]>(names: T) {
  return z.union([
    z.enum(names),
    z
      .int()
      .min(1)
      .max(names.length)
      .transform((number) => names[number - 1] as T[number]),
  ])
}
