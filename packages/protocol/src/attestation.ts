import { type Hex, hashTypedData } from 'viem'
import { eip712Domain, type ProtocolDomain } from './domain.ts'

/** How the signing worker came to run the request; the number is in the attestation (first is 1). */
export const seats = ['all-seated', 'drawn', 'widened'] as const
export type Seat = (typeof seats)[number]

/** Seat → its number in an attestation. */
export function seatNumber(seat: Seat): number {
  return seats.indexOf(seat) + 1
}

/** A worker's signed result. Two different (resultSeal, outcome, status) by one key for one request is equivocation. */
export type Attestation = {
  protocolVersion: number
  requestId: Hex
  /** `seal(hashResult(result bytes), salt)`. */
  resultSeal: Hex
  /** 1 completed … 6 out-of-memory, see `outcomes`. */
  outcome: number
  /** HTTP status of the result. */
  status: number
  /** 1 all-seated, 2 drawn, 3 widened. */
  seat: number
}

export const attestationTypes = {
  Attestation: [
    { name: 'protocolVersion', type: 'uint8' },
    { name: 'requestId', type: 'bytes32' },
    { name: 'resultSeal', type: 'bytes32' },
    { name: 'outcome', type: 'uint8' },
    { name: 'status', type: 'uint16' },
    { name: 'seat', type: 'uint8' },
  ],
} as const

/** The digest that the execution key signs. Twin: `Messages.hashAttestation`. Vectors: `attestation.json`. */
export function hashAttestation(domain: ProtocolDomain, attestation: Attestation): Hex {
  return hashTypedData({
    domain: eip712Domain(domain),
    types: attestationTypes,
    primaryType: 'Attestation',
    message: attestation,
  })
}
