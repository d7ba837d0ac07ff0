import { epochAt } from '@peerhost/protocol'
import type { Logger } from 'pino'
import type { Address } from 'viem'
import type { Chain } from '../chain/chain.ts'
import type { Database } from '../database/database.ts'
import { listUsedSequences } from '../requests/requestTable.ts'
import type { Seating } from '../seats/seating.ts'
import type { Sequences } from './sequences.ts'

export type VoidDeps = {
  database: Database
  chain: Pick<Chain, 'consumedWord' | 'voidSequences'>
  log: Logger
  requester: Address
  sequences: Pick<Sequences, 'position' | 'isOver'>
  seating: Pick<Seating, 'modeOf'>
  epochSeconds: number
  nowSeconds: () => number
}

const wordBits = 256n
const fullWord = 2n ** wordBits - 1n
/** Older drafts without a result will have none. */
const draftMs = 600_000

/**
 * Gives up sequence numbers that no ticket will use any more, where drawn seats need it: the contract takes a number only
 * when all numbers two words before it are used or given up. Costs nothing while everyone is seated.
 */
export async function voidSequences(deps: VoidDeps): Promise<void> {
  const issuedAt = deps.nowSeconds()
  const position = deps.sequences.position()
  if (position === undefined) return
  if ((await deps.seating.modeOf({ epoch: epochAt(issuedAt, deps.epochSeconds), issuedAt })) === 'all-seated') return
  const word = position / wordBits
  for (const one of [word - 2n, word - 1n]) if (one >= 0n) await voidWord(deps, one)
}

async function voidWord(deps: VoidDeps, word: bigint): Promise<void> {
  const consumed = await deps.chain.consumedWord(deps.requester, word)
  if (consumed === fullWord) return
  const from = word * wordBits
  const sinceMs = Date.now() - draftMs
  const options = { requester: deps.requester, from, to: from + wordBits - 1n, sinceMs }
  const used = new Set(await listUsedSequences(deps.database, options))
  const now = deps.nowSeconds()
  let mask = 0n
  for (let bit = 0n; bit < wordBits; bit++) {
    const isFree = ((consumed >> bit) & 1n) === 0n && !used.has(from + bit)
    if (isFree && deps.sequences.isOver(from + bit, now)) mask |= 1n << bit
  }
  if (mask === 0n) return
  const sent = await deps.chain.voidSequences(word, mask)
  if (sent.type === 'mined') deps.log.info({ word: word.toString(), transaction: sent.transaction }, 'numbers given up')
  else deps.log.warn({ word: word.toString(), reason: sent.reason }, 'numbers could not be given up')
}
