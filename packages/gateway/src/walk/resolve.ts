import { canonicalPath, PeerHostError } from '@peerhost/protocol'
import { type Address, getAddress } from 'viem'
import type { FunctionRecord } from '../registry/functionRecord.ts'
import type { FunctionRegistry } from '../registry/functionRegistry.ts'
import type { Incoming } from './incoming.ts'

/** The function that a URL names, and what is left of the path for the function itself. */
export type Target = { record: FunctionRecord; rest: string }

export type ResolveDeps = { registry: Pick<FunctionRegistry, 'find'>; urlDomain: string | undefined }

const walletPattern = /^0x[0-9a-f]{40}$/i
const namePattern = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/
const mostNameSegments = 32
const mostNameCharacters = 64

/**
 * True when the URL is of a function at all: by its host, or by a first path segment that is a wallet. Decided on the
 * one canonical spelling of the path, so that no spelling of a function's URL goes anywhere else.
 */
export function isFunctionUrl(domain: string | undefined, { host, path }: Pick<Incoming, 'host' | 'path'>): boolean {
  return walletOfHost(domain, host) !== undefined || walletPattern.test(path.split('/')[1] ?? '')
}

/**
 * The function id of a URL. Price, methods and limits hang on the id; the path's spelling decides nothing after this.
 * Names are never percent-decoded: `%2F` and its kind belong to the function's own part of the path or to nothing.
 * Throws `function_not_found`, `method_not_allowed`, `request_invalid`.
 */
export async function resolve(deps: ResolveDeps, incoming: Incoming): Promise<Target> {
  const segments = canonicalPath(incoming.path).slice(1).split('/')
  const wallet = walletOfHost(deps.urlDomain, incoming.host) ?? walletOf(segments.shift())
  const [project, ...names] = segments
  if (wallet === undefined || project === undefined || !isName(project)) throw notFound()
  const longest = longestName(names)
  for (let length = longest; length > 0; length--) {
    const record = await deps.registry.find(wallet, project, names.slice(0, length).join('/'))
    if (!record) continue
    assertMethod(record, incoming.method)
    const rest = names.slice(length)
    return { record, rest: rest.length === 0 ? '/' : `/${rest.join('/')}` }
  }
  throw notFound()
}

/** The methods a function answers: what its metadata says, and HEAD where it answers GET. Any while that is not known. */
export function methodsOf({ metadata }: FunctionRecord): readonly string[] | undefined {
  if (!metadata || metadata.methods.length === 0) return undefined
  return metadata.methods.includes('GET') ? [...new Set([...metadata.methods, 'HEAD'])] : metadata.methods
}

function assertMethod(record: FunctionRecord, method: string): void {
  const methods = methodsOf(record)
  if (!methods || methods.includes(method)) return
  throw new PeerHostError('method_not_allowed', `The function does not answer ${method}.`, {
    details: [...methods],
    hint: `It answers ${methods.join(', ')}.`,
  })
}

/** How many leading segments may be part of a function's name. */
function longestName(segments: readonly string[]): number {
  let characters = 0
  let length = 0
  for (const segment of segments) {
    characters += segment.length + (length === 0 ? 0 : 1)
    if (!isName(segment) || characters > mostNameCharacters || length === mostNameSegments) break
    length++
  }
  return length
}

function isName(text: string): boolean {
  return text.length <= mostNameCharacters && namePattern.test(text)
}

function walletOfHost(domain: string | undefined, host: string): Address | undefined {
  const name = host.toLowerCase().replace(/\.$/, '')
  if (domain === undefined || !name.endsWith(`.${domain}`)) return undefined
  return walletOf(name.slice(0, -domain.length - 1))
}

function walletOf(text: string | undefined): Address | undefined {
  return text !== undefined && walletPattern.test(text) ? getAddress(text.toLowerCase()) : undefined
}

function notFound(): PeerHostError {
  return new PeerHostError('function_not_found', 'There is no function at this URL.', {
    hint: 'URLs are /<wallet>/<project>/<function>. A new deployment is here as soon as its transaction is mined.',
  })
}
