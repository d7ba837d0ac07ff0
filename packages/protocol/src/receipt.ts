import type { Address, Hex } from 'viem'
import { z } from 'zod'
import { type Attestation, hashAttestation } from './attestation.ts'
import { fromBase64, toBase64 } from './body.ts'
import type { ProtocolDomain } from './domain.ts'
import { PeerHostError } from './errors.ts'
import { addressSchema as address, bytes32Schema as bytes32, hexSchema as hex } from './hexSchema.ts'
import { hashInput } from './request.ts'
import { decodeResult, hashResult, outcomeNumber } from './result.ts'
import { seal } from './seal.ts'
import type { Signing } from './signing.ts'
import { requestId, type Ticket } from './ticket.ts'

/** One worker's part of a receipt. */
export type SignedAttestation = { attestation: Attestation; signature: Hex; executionKey: Address; operator: Address }

/** Where the record is on chain, once it is mined. `index` is the position of the request's event among the batch's events. */
export type SettlementRecord = { transaction: Hex; blockNumber: string; index: number }

/** How the price was paid. Absent on free calls. `amount` in atomic units. */
export type PaymentRecord = {
  network: string
  asset: Address
  payer: Address
  payTo: Address
  amount: string
  nonce: Hex
  transaction: Hex
}

/**
 * What anyone needs, besides request and response bytes and a chain RPC, to check one answer. The salt opens the seals:
 * who holds the receipt can prove what was asked and answered; who holds only the chain cannot read it.
 */
export type Receipt = {
  v: 1
  chainId: number
  coordinator: Address
  requestId: Hex
  ticket: Ticket
  ticketSignature: Hex
  salt: Hex
  attestations: readonly SignedAttestation[]
  payment?: PaymentRecord | undefined
  settlement?: SettlementRecord | undefined
}

/** What the chain says about a receipt's signers is worth: `verified` by the open network, or by operators the owner chose. */
export type AssuranceLevel = 'verified' | 'operator-signed'

const amount = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,38})$/)
  .transform(BigInt)
const integer = z.int().nonnegative()

/** The JSON form of a ticket: bigints as decimal strings. Parses to a `Ticket`. */
export const ticketSchema = z.strictObject({
  protocolVersion: integer,
  functionId: bytes32,
  functionVersion: integer,
  envVersion: integer,
  runtimeDigest: bytes32,
  inputSeal: bytes32,
  requester: address,
  epoch: integer,
  sequence: amount,
  quorum: integer,
  lane: integer,
  fee: amount,
  issuedAt: integer,
  deadline: integer,
  payer: address,
  payee: address,
  price: amount,
  quoteId: bytes32,
  funder: address,
})

/** The JSON form of an attestation. Parses to an `Attestation`. */
export const attestationSchema = z.strictObject({
  protocolVersion: integer,
  requestId: bytes32,
  resultSeal: bytes32,
  outcome: integer,
  status: integer,
  seat: integer,
})

const receiptSchema = z.strictObject({
  v: z.literal(1),
  chainId: integer,
  coordinator: address,
  requestId: bytes32,
  ticket: ticketSchema,
  ticketSignature: hex,
  salt: bytes32,
  attestations: z
    .array(z.strictObject({ attestation: attestationSchema, signature: hex, executionKey: address, operator: address }))
    .min(1)
    .max(64),
  payment: z
    .strictObject({
      network: z.string(),
      asset: address,
      payer: address,
      payTo: address,
      amount: z.string(),
      nonce: bytes32,
      transaction: bytes32,
    })
    .optional(),
  settlement: z.strictObject({ transaction: bytes32, blockNumber: z.string(), index: integer }).optional(),
})

/** Receipt → plain JSON value; bigints become decimal strings. */
export function receiptToJson(receipt: Receipt): unknown {
  return JSON.parse(JSON.stringify(receipt, (_, value) => (typeof value === 'bigint' ? value.toString() : value)))
}

/** Plain JSON value → receipt. Throws `receipt_invalid` and says which member is wrong. */
export function receiptFromJson(value: unknown): Receipt {
  const parsed = receiptSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new PeerHostError('receipt_invalid', 'This is not a receipt.', {
    details: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  })
}

/** The form in the `PeerHost-Receipt` header: base64 of the JSON. */
export function encodeReceiptHeader(receipt: Receipt): string {
  return toBase64(new TextEncoder().encode(JSON.stringify(receiptToJson(receipt))))
}

/** Header → receipt. Throws `receipt_invalid`. */
export function decodeReceiptHeader(header: string): Receipt {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder().decode(fromBase64(header)))
  } catch (cause) {
    throw new PeerHostError('receipt_invalid', 'The receipt header is not base64 of JSON.', { cause })
  }
  return receiptFromJson(value)
}

/** One named check of a receipt and how it went. */
export type ReceiptCheck = { name: ReceiptCheckName; ok: boolean; detail?: string }
export type ReceiptCheckName =
  | 'request-id'
  | 'ticket-signature'
  | 'input'
  | 'result'
  | 'outcome'
  | 'attestation-signature'
  | 'quorum'
  | 'operator'
  | 'seat'
  | 'price'
  | 'payment'
  | 'settlement'

/**
 * Every check that needs no chain: ids, signatures, seals, quorum. `requestBytes` and `resultBytes` are the canonical
 * bytes. The chain's part (operators, price, payment, settlement) is `verifyReceipt` of `@peerhost/sdk`.
 */
export async function checkReceipt(
  signing: Signing,
  receipt: Receipt,
  bytes: { request: Uint8Array; result: Uint8Array },
): Promise<ReceiptCheck[]> {
  const domain: ProtocolDomain = { chainId: receipt.chainId, coordinator: receipt.coordinator }
  const id = requestId(domain, receipt.ticket)
  const signer = await signing.recover(id, receipt.ticketSignature)
  const resultSeal = seal(hashResult(bytes.result), receipt.salt)
  const result = decodeResult(bytes.result)
  const signed = await Promise.all(
    receipt.attestations.map(async ({ attestation, signature, executionKey }) => {
      const recovered = await signing.recover(hashAttestation(domain, attestation), signature)
      return recovered !== undefined && sameHex(recovered, executionKey) && sameHex(attestation.requestId, id)
    }),
  )
  const operators = new Set(receipt.attestations.map(({ operator }) => operator.toLowerCase()))
  const every = (test: (attestation: Attestation) => boolean) =>
    receipt.attestations.every(({ attestation }) => test(attestation))
  return [
    { name: 'request-id', ok: sameHex(id, receipt.requestId) },
    { name: 'ticket-signature', ok: signer !== undefined && sameHex(signer, receipt.ticket.requester) },
    { name: 'input', ok: sameHex(seal(hashInput(bytes.request), receipt.salt), receipt.ticket.inputSeal) },
    { name: 'result', ok: every((attestation) => sameHex(attestation.resultSeal, resultSeal)) },
    {
      name: 'outcome',
      ok: every(
        (attestation) => attestation.outcome === outcomeNumber(result.outcome) && attestation.status === result.status,
      ),
    },
    { name: 'attestation-signature', ok: signed.every(Boolean) },
    { name: 'quorum', ok: operators.size >= receipt.ticket.quorum },
  ]
}

/** True when both are the same hex, whatever the case of the digits. */
export function sameHex(a: Hex, b: Hex): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
