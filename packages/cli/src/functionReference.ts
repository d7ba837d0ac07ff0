import type { Connection, FunctionCard } from '@peerhost/sdk'
import { type Hex, isHex } from 'viem'
import { UsageError } from './command.ts'

/**
 * Finds the function that a caller means: by its id, by its URL, or as `project/name` where only one owner has it.
 * Throws `UsageError` when there is none or more than one.
 */
export async function findFunction(
  connection: Connection,
  reference: string,
  signal: AbortSignal,
): Promise<FunctionCard> {
  const { getFunction } = await import('@peerhost/sdk')
  if (isHex(reference) && reference.length === 66)
    return getFunction(connection, { functionId: reference.toLowerCase() as Hex, signal })
  const matches = (await allFunctions(connection, signal)).filter((card) => matchesReference(card, reference))
  const [found, ...others] = matches
  if (found && others.length === 0) return found
  if (!found) throw new UsageError(`There is no function “${reference}”.`, 'peerhost ls shows them.')
  throw new UsageError(
    `“${reference}” is the name of ${matches.length} functions.`,
    `Use an id: ${matches.map(({ functionId }) => functionId).join(', ')}.`,
  )
}

/** The whole catalogue, page by page. */
export async function allFunctions(
  connection: Connection,
  signal: AbortSignal,
  filter: { creator?: `0x${string}` | undefined; project?: string | undefined; priced?: boolean | undefined } = {},
): Promise<FunctionCard[]> {
  const { listFunctions } = await import('@peerhost/sdk')
  const functions: FunctionCard[] = []
  let cursor: string | undefined
  do {
    const page = await listFunctions(connection, { ...filter, cursor, signal })
    functions.push(...page.functions)
    cursor = page.cursor
  } while (cursor)
  return functions
}

function matchesReference(card: FunctionCard, reference: string): boolean {
  if (reference.includes('://')) return card.url.replace(/\/+$/, '') === reference.replace(/\/+$/, '')
  return `${card.project}/${card.name}` === reference
}
