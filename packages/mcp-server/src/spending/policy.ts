import { createHash } from 'node:crypto'
import { constants, type FileHandle, open } from 'node:fs/promises'
import { type Address, getAddress, isAddress } from 'viem'
import { z } from 'zod'
import { moneySchema } from './money.ts'

const address = z
  .string()
  .refine((text) => isAddress(text, { strict: false }), 'not an address')
  .transform((text) => getAddress(text))

/** USDC on test networks: money that cannot hurt. Anything else has to be named in the policy file. */
const testAssets = [
  { network: 'eip155:84532', asset: '0x036CbD53842c5426634e7929541eC2318f3dCF7e' },
  { network: 'eip155:80002', asset: '0x41E94Eb019C0762f9Bfcf9Fb1E58725BfB0e7582' },
] as const satisfies { network: string; asset: Address }[]

const policySchema = z.strictObject({
  version: z.literal(1),
  maxPerCall: moneySchema.default(50_000n),
  maxPerDay: moneySchema.default(1_000_000n),
  maxPerProcess: moneySchema.default(1_000_000n),
  maxPerProviderPerDay: moneySchema.default(500_000n),
  maxCallsPerMinute: z.int().min(0).max(10_000).default(30),
  replayWindowSeconds: z.int().min(0).max(86_400).default(600),
  assets: z
    .array(z.strictObject({ network: z.string().regex(/^eip155:[1-9][0-9]*$/), asset: address }))
    .default(() => testAssets.map(({ network, asset }) => ({ network, asset }))),
  providers: z
    .strictObject({ allow: z.array(address).optional(), deny: z.array(address).default([]) })
    .default({ deny: [] }),
  pinned: z.array(z.string().regex(/^0x[0-9a-f]{64}$/, 'a function id in lower-case hex')).default([]),
})

/** What the human allows. Amounts in millionths of a dollar token. Only the file changes it: no tool does. */
export type SpendPolicy = z.output<typeof policySchema>

/** A policy as read, or why it cannot be trusted; then nothing is paid. */
export type PolicyReading =
  | { type: 'valid'; policy: SpendPolicy; source: string; digest: string }
  | { type: 'invalid'; source: string; problems: string[] }

/** The limits when there is no policy file: 0.05 per call, 1 per day, test networks only. */
export const defaultPolicy: SpendPolicy = policySchema.parse({ version: 1 })

const maximumBytes = 262_144

/**
 * Reads the policy file anew: a change by its owner counts from the next decision on. Anything odd — missing, not JSON,
 * an unknown member, writable by group or others, owned by someone else — is `invalid`, never a default.
 */
export async function readPolicy(path: string | undefined): Promise<PolicyReading> {
  if (path === undefined) return { type: 'valid', policy: defaultPolicy, source: 'built-in defaults', digest: '' }
  let file: FileHandle | undefined
  try {
    file = await open(path, constants.O_RDONLY)
    const stat = await file.stat()
    const problems = fileProblems(stat)
    if (problems.length > 0) return { type: 'invalid', source: path, problems }
    const text = await file.readFile('utf8')
    return parsePolicy(text, path)
  } catch (error) {
    return { type: 'invalid', source: path, problems: [`cannot be read (${(error as NodeJS.ErrnoException).code})`] }
  } finally {
    await file?.close()
  }
}

/** The text of a policy file → the policy, with every problem at once. */
export function parsePolicy(text: string, source: string): PolicyReading {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { type: 'invalid', source, problems: ['is not JSON'] }
  }
  const parsed = policySchema.safeParse(json)
  if (parsed.success)
    return { type: 'valid', policy: parsed.data, source, digest: createHash('sha256').update(text).digest('hex') }
  return {
    type: 'invalid',
    source,
    problems: parsed.error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`),
  }
}

function fileProblems(stat: { mode: number; uid: number; size: number; isFile: () => boolean }): string[] {
  const problems: string[] = []
  if (!stat.isFile()) problems.push('is not a file')
  if (stat.size > maximumBytes) problems.push('is too large')
  if (process.platform === 'win32') return problems
  if ((stat.mode & 0o022) !== 0) problems.push('is writable by group or others: chmod go-w it')
  if (stat.uid !== process.getuid?.() && stat.uid !== 0) problems.push('belongs to another user')
  return problems
}
