import { z } from 'zod'
import { isEgressHeader } from './egressCall.ts'
import { LIMITS } from './limits.ts'
import { isSecretName } from './secretName.ts'

const secretReference = /\{\{([^{}]*)\}\}/g
// The last label begins with a letter: what begins with a digit may be read as an address.
const hostPattern = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?(:[1-9][0-9]{0,4})?$/

const host = z
  .string()
  .max(260)
  .regex(hostPattern, 'must be a host name such as "api.example.com" or "*.example.com": no scheme, path or address.')
  .refine((text) => Number(text.split(':')[1] ?? 443) <= 65_535, 'has a port that does not exist.')

const template = z
  .string()
  .min(1)
  .max(1_024)
  .regex(/^[\x20-\x7e]*$/, 'may hold printable ASCII only.')
  .refine(
    (text) => [...text.matchAll(secretReference)].every(([, name]) => isSecretName(name ?? '')),
    'names a secret that cannot exist: names are upper-case letters, digits and _, as in {{API_KEY}}.',
  )
  .refine((text) => !/\{\{|\}\}/.test(text.replace(secretReference, '')), 'has {{ or }} that belongs to no secret.')

const headerName = /^[!#$%&'*+\-.^_`|~0-9a-z]{1,128}$/
const headers = z
  .record(z.string(), template)
  .refine((record) => Object.keys(record).every((name) => headerName.test(name)), 'must have lower-case header names.')
  .refine((record) => Object.keys(record).every(isEgressHeader), 'names a header that belongs to the connection.')
  .refine((record) => Object.keys(record).length <= 16, 'holds more than 16 headers.')

const hostAccess = z
  .strictObject({ host, headers })
  .refine(
    (entry) => !entry.host.startsWith('*') || !Object.values(entry.headers).some((text) => text.includes('{{')),
    'gives a secret to every name under a wildcard: secrets go to exact hosts only.',
  )

/** Where a function may call, as its metadata says it. Headers are added by the broker; `{{NAME}}` stands for a secret. */
export const networkAccessSchema = z.strictObject({
  hosts: z
    .array(hostAccess)
    .min(1)
    .max(LIMITS.egressHosts)
    .refine((hosts) => new Set(hosts.map((one) => one.host)).size === hosts.length, 'names a host twice.'),
  maxCalls: z.int().min(1).max(LIMITS.egressCalls),
})
export type NetworkAccess = z.output<typeof networkAccessSchema>
export type HostAccess = NetworkAccess['hosts'][number]

/** The entry that allows a URL: the exact host before a wildcard, which stands for one or more labels. */
export function accessTo({ hosts }: NetworkAccess, url: URL): HostAccess | undefined {
  const port = url.port === '' ? '' : `:${url.port}`
  const name = `${url.hostname}${port}`
  const exact = hosts.find((one) => withoutDefaultPort(one.host) === name)
  if (exact) return exact
  return hosts.find((one) => {
    const pattern = withoutDefaultPort(one.host)
    return pattern.startsWith('*.') && name.endsWith(pattern.slice(1)) && name.length > pattern.length - 1
  })
}

/** The names of all secrets that the broker needs for a function, each once, sorted. */
export function secretsOf({ hosts }: NetworkAccess): string[] {
  const templates = hosts.flatMap((one) => Object.values(one.headers))
  const names = templates.flatMap((text) => [...text.matchAll(secretReference)].map(([, name]) => name ?? ''))
  return [...new Set(names)].sort()
}

/** A header's text with each `{{NAME}}` replaced by what `secretOf` gives for the name. */
export function fillSecrets(template: string, secretOf: (name: string) => string): string {
  return template.replace(secretReference, (_, name: string) => secretOf(name))
}

function withoutDefaultPort(text: string): string {
  return text.replace(/:443$/, '')
}
