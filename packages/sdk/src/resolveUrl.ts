import { functionId, isPeerHostError, LIMITS } from '@peerhost/protocol'
import { type Address, getAddress, type Hex } from 'viem'
import { type FunctionState, readFunction } from './chain/readFunction.ts'
import type { Connection } from './connection.ts'

/** A function that a URL may mean, and the path that it would see. */
export type UrlReading = { creator: Address; project: string; name: string; functionId: Hex; path: string }

/** Function names nest; deeper ones than this are not looked for in a URL. */
const nameDepth = 6
const name = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/

/**
 * Every function that a URL can mean, longest name first: `<wallet>.<domain>/<project>/<function>[/rest]` and
 * `/<wallet>/<project>/<function>[/rest]`. Empty for URLs of another shape.
 */
export function readingsOf(url: string): UrlReading[] {
  const { hostname, pathname } = new URL(url)
  const segments = pathname.split('/').slice(1)
  const label = hostname.split('.')[0] ?? ''
  const wallet = isWallet(label) ? label : segments.shift()
  const project = segments.shift()
  if (!wallet || !isWallet(wallet) || !project || !isName(project)) return []
  const readings: UrlReading[] = []
  for (let depth = 1; depth <= Math.min(segments.length, nameDepth); depth++) {
    const parts = segments.slice(0, depth)
    const functionName = parts.join('/')
    if (!parts.every(isName) || functionName.length > LIMITS.nameCharacters) break
    const creator = getAddress(wallet.toLowerCase())
    readings.unshift({
      creator,
      project,
      name: functionName,
      functionId: functionId(creator, project, functionName),
      path: `/${segments.slice(depth).join('/')}`,
    })
  }
  return readings
}

/** The function of the registry that a URL means: the longest name that exists. `undefined` when there is none. */
export async function resolveUrl(
  connection: Connection,
  url: string,
): Promise<(UrlReading & { state: FunctionState }) | undefined> {
  const states = await Promise.all(
    readingsOf(url).map(async (reading) => {
      const state = await findFunction(connection, reading.functionId)
      return state && { ...reading, state }
    }),
  )
  return states.find((state) => state !== undefined)
}

/** Like `readFunction`, but `undefined` for a function that nobody published. */
export async function findFunction(connection: Connection, id: Hex): Promise<FunctionState | undefined> {
  try {
    return await readFunction(connection, id)
  } catch (error) {
    if (isPeerHostError(error) && error.code === 'function_not_found') return undefined
    throw error
  }
}

function isWallet(text: string): boolean {
  return /^0x[0-9a-f]{40}$/i.test(text)
}

function isName(text: string): boolean {
  return text.length <= LIMITS.nameCharacters && name.test(text)
}
