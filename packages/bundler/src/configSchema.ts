import { environmentNamesSchema, ISOLATION_LEVELS, LIMITS, trustedWorkersSchema } from '@peerhost/protocol'
import { isAddress } from 'viem'
import { z } from 'zod'
import { networkSettingsSchema } from './networkSettings.ts'

/** The methods a function may answer, in the order they are listed. */
export const functionMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const
export type FunctionMethod = (typeof functionMethods)[number]

const jsonSchema = z.record(z.string(), z.unknown())

/** What may be said about one function, in `export const config` of its file or in `peerhost.jsonc`. */
export const functionSettingsSchema = z.strictObject({
  price: z
    .string('must be a decimal string such as "0.001", not a number: numbers lose digits.')
    .regex(/^(0|[1-9]\d{0,11})(\.\d{1,6})?$/, 'must be a decimal such as "0.001", with at most 6 decimals.')
    .describe('What one call costs, in USDC. "0" or nothing: free.')
    .optional(),
  description: z.string().max(2_000).describe('What the function does, for people and agents.').optional(),
  input: jsonSchema.describe('JSON schema of the input. Its type must be "object".').optional(),
  output: jsonSchema.describe('JSON schema of the answer.').optional(),
  methods: z
    .array(z.enum(functionMethods))
    .min(1)
    .describe('HTTP methods it answers. Default: what the file exports.')
    .optional(),
  limits: z.enum(['small', 'medium', 'large']).describe('Time, memory and CPU of one call. Default: small.').optional(),
  paymentMode: z
    .enum(['after', 'upfront', 'escrow'])
    .describe(
      'When the money moves: after the run (default), before it, or into an escrow that pays only for a verified result.',
    )
    .optional(),
  payee: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/, { error: 'must be an address: 0x and 40 hex digits.', abort: true })
    .refine((text) => isAddress(text), 'is not a valid address: its checksum is wrong.')
    .describe('Who receives the price. Default: the owner.')
    .optional(),
  quorum: z
    .int()
    .min(1)
    .max(LIMITS.quorum)
    .describe('How many workers must agree on each result. The fee is paid for each. Default: 1.')
    .optional(),
  deterministic: z.boolean().describe('True when the same request always gives the same answer.').optional(),
  isolation: z
    .enum(ISOLATION_LEVELS)
    .describe(
      'What each call gets for itself: a V8 context (default), a process (default where Node modules are used), a container, or nothing (shared).',
    )
    .optional(),
  lane: z
    .enum(['attested', 'confirmed'])
    .describe('What a caller waits for by default: signatures (attested) or the chain (confirmed).')
    .optional(),
  network: networkSettingsSchema.optional(),
  env: environmentNamesSchema
    .describe(
      'Secrets that the code reads as env.NAME. Whoever runs it can read them: the broker of “network” keeps a secret from workers.',
    )
    .optional(),
  trustedWorkers: trustedWorkersSchema
    .min(1)
    .describe('Operators that alone may run a function that reads secrets. Default: whoever has a seat.')
    .optional(),
})
export type FunctionSettings = z.infer<typeof functionSettingsSchema>

/** `peerhost.jsonc`. */
export const projectConfigSchema = z.strictObject({
  $schema: z.string().optional(),
  name: z
    .string()
    .max(64)
    .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'may hold lower-case letters, digits and inner hyphens.')
    .describe('Name of the project, part of every URL. Default: from package.json or the folder.')
    .optional(),
  functionsDir: z
    .string()
    .min(1)
    .refine((path) => !path.startsWith('/') && !path.split(/[\\/]/).includes('..'), 'must stay inside the project.')
    .describe('Folder with the functions. Default: functions.')
    .optional(),
  functions: z
    .record(z.string(), functionSettingsSchema)
    .describe('Settings by function name; they win over those in the source.')
    .optional(),
})
export type ProjectConfig = z.infer<typeof projectConfigSchema>

/** The JSON schema of `peerhost.jsonc` that ships with the package, for editors. */
export function projectConfigJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(projectConfigSchema, { io: 'input', target: 'draft-7' }),
    title: 'PeerHost project (peerhost.jsonc)',
    allowTrailingCommas: true,
  }
}
