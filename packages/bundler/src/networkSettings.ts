import { LIMITS, type NetworkAccess, networkAccessSchema } from '@peerhost/protocol'
import { z } from 'zod'
import { type Located, type Problem, problemAt } from './located.ts'

/** Where a function may call: what `networkAccessSchema` says, with short forms. Checked further by `checkNetwork`. */
export const networkSettingsSchema = z
  .strictObject({
    hosts: z
      .array(
        z.union(
          [z.string(), z.strictObject({ host: z.string(), headers: z.record(z.string(), z.string()).optional() })],
          'must be a host name, or an object of host and headers.',
        ),
      )
      .describe(
        'Hosts: "api.example.com", "*.example.com", or { host, headers } with headers that are added on the way out; {{NAME}} in them stands for a secret.',
      ),
    maxCalls: z
      .int()
      .min(1)
      .max(LIMITS.egressCalls)
      .describe(`Most calls of one execution. Default: ${LIMITS.egressDefaultCalls}.`)
      .optional(),
  })
  .describe('Where the function may call, by https only. Without it the function has no network.')
export type NetworkSettings = z.infer<typeof networkSettingsSchema>

/** Settings → what the metadata says, in one form. */
export function networkAccessOf({ hosts, maxCalls = LIMITS.egressDefaultCalls }: NetworkSettings): NetworkAccess {
  const entries = hosts.map((one) => (typeof one === 'string' ? { host: one } : one))
  return { hosts: entries.map(({ host, headers = {} }) => ({ host, headers })), maxCalls }
}

/** What is wrong with the network settings at `path`. */
export function checkNetwork(located: Located, path: readonly string[], settings: NetworkSettings): Problem[] {
  const access = networkAccessOf(settings)
  const parsed = networkAccessSchema.safeParse(access)
  const issues = parsed.error?.issues ?? []
  return [
    ...issues.map((issue) => problemAt(located, [...path, ...writtenPath(settings, issue.path)], issue.message)),
    ...access.hosts.flatMap(({ headers }, index) =>
      Object.entries(headers)
        .filter(([name, template]) => namesCredential.test(name) && !template.includes('{{'))
        .map(([name]) => problemAt(located, [...path, 'hosts', String(index), 'headers', name], plainCredential)),
    ),
  ]
}

/** Headers that hold what nobody else should know. */
const namesCredential = /^(authorization|cookie)$|(^|[-_])(key|token|secret|password|signature)$/
const plainCredential =
  'holds a plain value, and everybody can read it: write {{NAME}} and set it with “peerhost secret set NAME”.'

/** An entry that was written as a string has no parts of its own. */
function writtenPath({ hosts }: NetworkSettings, path: readonly PropertyKey[]): readonly string[] {
  const [head, index, ...rest] = path.map(String)
  if (head === undefined || index === undefined) return path.map(String)
  return typeof hosts[Number(index)] === 'string' ? [head, index] : [head, index, ...rest]
}
