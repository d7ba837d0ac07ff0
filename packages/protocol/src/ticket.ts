import { type Address, type Hex, hashTypedData } from 'viem'
import { eip712Domain, type ProtocolDomain } from './domain.ts'

/** What the caller waits for: a quorum's signatures, or the record on chain. The number is in the ticket. */
export const lanes = ['attested', 'confirmed'] as const
export type Lane = (typeof lanes)[number]

/** Lane → its number in a ticket (first is 1). */
export function laneNumber(lane: Lane): number {
  return lanes.indexOf(lane) + 1
}

/**
 * A signed request: it is the job. Whoever holds it and the requester's signature can put it on chain.
 * Money is in atomic units of the settlement token, times in seconds since 1970.
 */
export type Ticket = {
  protocolVersion: number
  functionId: Hex
  /** The deployment that runs, resolved when the ticket is signed. */
  functionVersion: number
  /** Version of environment and secrets; 0 when the function has none. */
  envVersion: number
  /** sha2-256 of the runtime image's root file system. */
  runtimeDigest: Hex
  /** `seal(hashInput(request bytes), salt)`. */
  inputSeal: Hex
  /** Who signs the ticket; usually a gateway. */
  requester: Address
  /** Epoch of `issuedAt`. */
  epoch: number
  /** Contiguous per requester, consumed once on chain. */
  sequence: bigint
  quorum: number
  /** 1 attested, 2 confirmed. */
  lane: number
  /** What the funder pays the network for this execution. */
  fee: bigint
  issuedAt: number
  /** The result must exist by then; settlement may follow within the grace period. */
  deadline: number
  /** Who pays `price`; zero address when the call is free. */
  payer: Address
  /** Who receives `price`; zero address when the call is free. */
  payee: Address
  price: bigint
  /** Binds the payment: `paymentId` in the modes `after` and `upfront`, zero when the call is free. */
  quoteId: Hex
  /** Whose credit line pays `fee`: the owner of the function, or a sponsor. */
  funder: Address
}

/** Field order is part of the protocol: `Messages.TICKET_TYPEHASH` in Solidity and `vectors/ticket.json` hold the same. */
export const ticketTypes = {
  Ticket: [
    { name: 'protocolVersion', type: 'uint8' },
    { name: 'functionId', type: 'bytes32' },
    { name: 'functionVersion', type: 'uint32' },
    { name: 'envVersion', type: 'uint32' },
    { name: 'runtimeDigest', type: 'bytes32' },
    { name: 'inputSeal', type: 'bytes32' },
    { name: 'requester', type: 'address' },
    { name: 'epoch', type: 'uint32' },
    { name: 'sequence', type: 'uint64' },
    { name: 'quorum', type: 'uint8' },
    { name: 'lane', type: 'uint8' },
    { name: 'fee', type: 'uint96' },
    { name: 'issuedAt', type: 'uint40' },
    { name: 'deadline', type: 'uint40' },
    { name: 'payer', type: 'address' },
    { name: 'payee', type: 'address' },
    { name: 'price', type: 'uint128' },
    { name: 'quoteId', type: 'bytes32' },
    { name: 'funder', type: 'address' },
  ],
} as const

/** The request id: the ticket's EIP-712 digest. Twin: `Messages.hashTicket`. Vectors: `ticket.json`. */
export function requestId(domain: ProtocolDomain, ticket: Ticket): Hex {
  return hashTypedData({ domain: eip712Domain(domain), types: ticketTypes, primaryType: 'Ticket', message: ticket })
}
