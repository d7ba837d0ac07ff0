import {
  canonicalRequest,
  depositAddress,
  type EscrowTerms,
  encodeRequest,
  hashEscrowTerms,
  hashInput,
  PeerHostError,
  sameHex,
  seal,
} from '@peerhost/protocol'
import type { PaymentRequirements } from '@x402/core/types'
import { type Address, type Hex, isAddressEqual } from 'viem'
import { z } from 'zod'
import { browserHeaders, type Call } from '../call.ts'
import type { FunctionState } from '../chain/readFunction.ts'
import { readSuite } from '../chain/readSuite.ts'
import type { Connection } from '../connection.ts'
import { addressSchema, bytes32Schema } from '../schema.ts'

const offerSchema = z.object({
  contract: addressSchema,
  coordinator: addressSchema,
  terms: z.object({
    requester: addressSchema,
    functionId: bytes32Schema,
    functionVersion: z.int().positive(),
    inputSeal: bytes32Schema,
    payee: addressSchema,
    price: z
      .string()
      .regex(/^(0|[1-9][0-9]{0,38})$/)
      .transform(BigInt),
    deadline: z.int().positive(),
    nonce: bytes32Schema,
  }),
  salt: bytes32Schema,
})

/** What a payment in escrow is bound to: checked against the chain and the caller's own request before it is signed. */
export type EscrowOffer = { quoteId: Hex; deposit: Address; terms: EscrowTerms; salt: Hex }

/** Longest that the deadline of a quote may be away. */
const longestSeconds = 3_600

/** True for an entry that asks for a payment into escrow. */
export function isEscrowEntry(entry: PaymentRequirements): boolean {
  return entry.extra?.escrow !== undefined
}

/**
 * Recomputes what a payment into escrow is bound to: the terms must be those of this function, price and payee, the seal
 * that of this very request, and the address the one that follows from them. Throws `payment_invalid`, `payee_changed` or
 * `price_drift`; nothing was signed then.
 */
export async function checkEscrowOffer(
  connection: Connection,
  call: Call,
  entry: PaymentRequirements,
  known: { functionId: Hex; path: string; state: FunctionState },
): Promise<EscrowOffer> {
  const parsed = offerSchema.safeParse(entry.extra?.escrow)
  if (!parsed.success) throw refused('payment_invalid', 'it does not say what the payment is bound to')
  const { contract, coordinator, terms, salt } = parsed.data
  const { network } = connection
  const { escrow } = await readSuite(connection)
  const { state } = known
  const now = Math.floor(Date.now() / 1_000)
  const problems: [boolean, 'payment_invalid' | 'payee_changed' | 'price_drift', string][] = [
    [!isAddressEqual(contract, escrow), 'payment_invalid', `the escrow contract is ${escrow}, not ${contract}`],
    [!isAddressEqual(coordinator, network.coordinator), 'payment_invalid', 'it is of another coordinator'],
    [!sameHex(terms.functionId, known.functionId), 'payment_invalid', 'it is for another function'],
    [terms.functionVersion !== state.currentVersion, 'payment_invalid', 'it is for another version of the function'],
    [!isAddressEqual(terms.requester, network.requester), 'payment_invalid', 'another requester would sign the ticket'],
    [!isAddressEqual(terms.payee, state.payee), 'payee_changed', `the registry names the payee ${state.payee}`],
    [terms.price !== state.price || terms.price !== BigInt(entry.amount), 'price_drift', 'the price is another one'],
    [terms.deadline <= now || terms.deadline > now + longestSeconds, 'payment_invalid', 'its deadline is not soon'],
  ]
  const problem = problems.find(([wrong]) => wrong)
  if (problem) throw refused(problem[1], problem[2])
  if (!isSealOfCall(call, known.path, terms.inputSeal, salt))
    throw refused('payment_invalid', 'it is bound to another request than the one that was sent')
  const quoteId = hashEscrowTerms({ chainId: network.chainId, coordinator: network.coordinator }, terms)
  const deposit = depositAddress(escrow, quoteId)
  if (!isAddressEqual(deposit, entry.payTo as Address))
    throw refused('payment_invalid', `the terms belong to the address ${deposit}, not to ${entry.payTo}`)
  return { quoteId, deposit, terms, salt }
}

/** Whether the seal is that of this call's canonical bytes, with what the platform adds to a request by itself. */
function isSealOfCall(call: Call, path: string, inputSeal: Hex, salt: Hex): boolean {
  const { method, body = new Uint8Array() } = call
  const query = new URL(call.url).search.replace(/^\?/, '')
  return browserHeaders(call).some((added) => {
    const bytes = encodeRequest(canonicalRequest({ method, path, query, headers: [...call.headers, ...added], body }))
    return sameHex(seal(hashInput(bytes), salt), inputSeal)
  })
}

function refused(code: 'payment_invalid' | 'payee_changed' | 'price_drift', why: string): PeerHostError {
  return new PeerHostError(code, `The offer of an escrow was refused: ${why}.`, {
    hint: 'Nothing was signed. If the function was changed just now, try again in a minute; else do not use this gateway.',
  })
}
