import {
  type CanonicalResult,
  decodeResult,
  fromBase64,
  hashAttestation,
  hashResult,
  laneNumber,
  outcomeNumber,
  PROTOCOL_VERSION,
  type ProtocolDomain,
  type Signing,
  sameHex,
  seal,
  seatNumber,
} from '@peerhost/protocol'
import type { Address } from 'viem'
import type { Job, OpenedAttestation } from '../requests/request.ts'
import type { Seating } from '../seats/seating.ts'
import type { AttestedMessage } from '../workers/workerLink.ts'

export type AttestationDeps = {
  signing: Signing
  domain: ProtocolDomain
  maySign: (executionKey: Address, operator: Address, issuedAt: number) => Promise<boolean>
  seating: Pick<Seating, 'seatOf'>
}

/** A result whose every claim was checked, or the first claim that is false. */
export type CheckedAttestation =
  | { ok: true; attested: OpenedAttestation; result: Uint8Array; decoded: CanonicalResult }
  | { ok: false; reason: string }

/**
 * Checks what a worker says about a job: that its key signed it, for this request, that the seal is of these result
 * bytes, that outcome and status are those inside them, that the seat is the operator's, and that the chain still lets the key
 * sign.
 */
export async function checkAttestation(
  deps: AttestationDeps,
  job: Job,
  worker: { executionKey: Address; operator: Address },
  { attestation, signature, result: base64 }: AttestedMessage,
): Promise<CheckedAttestation> {
  const refuse = (reason: string): CheckedAttestation => ({ ok: false, reason })
  if (!sameHex(attestation.requestId, job.requestId)) return refuse('It is about another request.')
  if (attestation.protocolVersion !== PROTOCOL_VERSION) return refuse('It has another protocol version.')
  let result: Uint8Array
  let decoded: CanonicalResult
  try {
    result = fromBase64(base64)
    decoded = decodeResult(result)
  } catch (error) {
    return refuse(`The result is not canonical: ${error instanceof Error ? error.message : String(error)}`)
  }
  if (!sameHex(attestation.resultSeal, seal(hashResult(result), job.salt)))
    return refuse('The seal is of another result.')
  if (attestation.outcome !== outcomeNumber(decoded.outcome) || attestation.status !== decoded.status)
    return refuse('Outcome or status are not those of the result.')
  if (!(await hasSeat(deps, job, worker.operator, attestation.seat))) return refuse('The operator has no such seat.')
  const signer = await deps.signing.recover(hashAttestation(deps.domain, attestation), signature)
  if (!signer || !sameHex(signer, worker.executionKey)) return refuse('It is not signed by the worker.')
  if (!(await deps.maySign(worker.executionKey, worker.operator, job.ticket.issuedAt)))
    return refuse('The operator is not active.')
  return { ok: true, attested: { attestation, signature, ...worker }, result, decoded }
}

/** Seats that are open to all exist on chain only, where the contract knows since when. */
async function hasSeat(
  { seating }: AttestationDeps,
  { ticket }: Job,
  operator: Address,
  seat: number,
): Promise<boolean> {
  if (ticket.lane === laneNumber('confirmed') && seat === seatNumber('widened')) return true
  return (await seating.seatOf(operator, ticket)) === seat
}
