import {
  digestToCid,
  environmentNamesSchema,
  LIMITS,
  networkAccessSchema,
  trustedWorkersSchema,
} from '@peerhost/protocol'
import { type BlockSource, fetchBlock } from '@peerhost/storage'
import type { Hex } from 'viem'
import { z } from 'zod'

const schema = z.object({
  v: z.literal(1),
  name: z.string(),
  description: z.string(),
  methods: z.array(z.string().regex(/^[A-Z]{1,16}$/)).max(16),
  input: z.record(z.string(), z.unknown()).optional(),
  output: z.record(z.string(), z.unknown()).optional(),
  runtime: z.string(),
  bundleCid: z.string(),
  // A list that is none allows nothing; the rest of the document is shown all the same.
  network: networkAccessSchema.optional().catch(undefined),
  env: environmentNamesSchema.optional().catch(undefined),
  // Nobody is trusted by a list that is none.
  trustedWorkers: trustedWorkersSchema.optional().catch([]),
})

/** What a deployment says about itself. Written by the deployer: shown, never trusted with money. */
export type Metadata = z.output<typeof schema>

/** Bytes of a metadata block → metadata, or `undefined` when they are not one. */
export function parseMetadata(bytes: Uint8Array): Metadata | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** Fetches and parses a metadata block. Throws when no source has it. */
export async function fetchMetadata(
  sources: readonly BlockSource[],
  digest: Hex,
  signal: AbortSignal,
): Promise<Metadata | undefined> {
  const { bytes } = await fetchBlock(sources, digestToCid(digest), { maxBytes: LIMITS.metadataBytes, signal })
  return parseMetadata(bytes)
}
