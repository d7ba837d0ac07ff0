import { createHash } from 'node:crypto'
import { encodeCanonicalJson } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import { z } from 'zod'

const hex32 = z.custom<Hex>((value) => typeof value === 'string' && /^0x[0-9a-f]{64}$/i.test(value))
const address = z.custom<Address>((value) => typeof value === 'string' && /^0x[0-9a-f]{40}$/i.test(value))
const amount = z.string().regex(/^(0|[1-9][0-9]*)$/)
const callId = z.string().regex(/^[0-9a-f-]{36}$/)

const events = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('reserve'),
    callId,
    callKey: z.string(),
    functionId: hex32,
    provider: address,
    network: z.string(),
    asset: address,
    payTo: address,
    amount,
  }),
  z.strictObject({
    type: z.literal('sign'),
    callId,
    authorization: z.strictObject({
      from: address,
      to: address,
      value: amount,
      validAfter: amount,
      validBefore: amount,
      nonce: hex32,
    }),
  }),
  z.strictObject({ type: z.literal('settle'), callId, transaction: hex32.optional() }),
  z.strictObject({ type: z.literal('unsettled'), callId, reason: z.string() }),
  z.strictObject({ type: z.literal('unknown'), callId, reason: z.string() }),
  z.strictObject({ type: z.literal('release'), callId, reason: z.string() }),
  z.strictObject({ type: z.literal('deny'), functionId: hex32, amount, code: z.string(), reason: z.string() }),
])

const frame = z.strictObject({
  seq: z.int().nonnegative(),
  /** Milliseconds since 1970; never less than the entry before. */
  at: z.int().nonnegative(),
  process: z.string(),
  event: events,
  prev: z.string(),
  hash: z.string(),
})

/** What happened to one call's money. Amounts are decimal strings in atomic units. */
export type LedgerEvent = z.output<typeof events>

/** One line of the ledger. `hash` covers the line, `prev` is the hash of the line before. */
export type LedgerEntry = z.output<typeof frame>

/** What the first line has as `prev`. */
export const genesisHash = '0'.repeat(64)

/** Adds the hash. */
export function sealEntry(entry: Omit<LedgerEntry, 'hash'>): LedgerEntry {
  return { ...entry, hash: hashEntry(entry) }
}

/** One line → the entry, or `undefined` when it is malformed or does not follow `last`. */
export function parseEntry(line: string, last: { seq: number; at: number; hash: string }): LedgerEntry | undefined {
  let json: unknown
  try {
    json = JSON.parse(line)
  } catch {
    return undefined
  }
  const parsed = frame.safeParse(json)
  if (!parsed.success) return undefined
  const { hash, ...rest } = parsed.data
  const follows = rest.seq === last.seq + 1 && rest.prev === last.hash && rest.at >= last.at
  return follows && hashEntry(rest) === hash ? parsed.data : undefined
}

function hashEntry(entry: Omit<LedgerEntry, 'hash'>): string {
  const json = JSON.parse(JSON.stringify(entry))
  return createHash('sha256').update(encodeCanonicalJson(json)).digest('hex')
}
