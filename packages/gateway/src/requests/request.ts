import type { SettlementRecord, SignedAttestation, Ticket, Usage } from '@peerhost/protocol'
import type { Hex } from 'viem'

/** A signed ticket with everything that running and proving it needs. */
export type Job = {
  requestId: Hex
  ticket: Ticket
  ticketSignature: Hex
  /** Opens the seals of input and result. Never leaves the gateway but to workers and to the caller, in the receipt. */
  salt: Hex
  /** The canonical request's bytes, encoded once. */
  input: Uint8Array
  paymentId: Hex | undefined
  /** Head of the chain when the ticket was made: what happens to it on chain happens after. */
  fromBlock: bigint
  createdAtMs: number
}

/** A job whose ticket is made but not signed yet. */
export type Draft = Omit<Job, 'ticketSignature'>

/** A worker's signed result; in a quorum with the salt that opens the worker's commitment. */
export type OpenedAttestation = SignedAttestation & { commitmentSalt?: Hex | undefined }

/** The ordered commitments of one request, as its requester closed and signed them. */
export type ClosedCommitSet = { commitments: readonly Hex[]; signature: Hex }

/**
 * A job with its result, checked: the seals open, the signatures are of active operators' keys. One attestation, or as
 * many equal ones as the quorum asks.
 */
export type ExecutedJob = Job & {
  attestations: readonly OpenedAttestation[]
  commitSet?: ClosedCommitSet | undefined
  result: Uint8Array
  usage?: Usage | undefined
}

/**
 * `none`: nothing to settle. `pending` → `sending` → `settled` or `failed`. `agreed`: a quorum agreed on chain, where it is paid
 * after its conflict window.
 */
export type SettlementState = 'none' | 'pending' | 'sending' | 'agreed' | 'settled' | 'failed'

/** A request as it is kept. Bytes go after the transcript's retention; the rest stays. */
export type RequestRecord = Omit<Job, 'input'> & {
  status: 'dispatched' | 'executed' | 'failed'
  input: Uint8Array | undefined
  result: Uint8Array | undefined
  /** Empty while there is no result. */
  attestations: readonly OpenedAttestation[]
  commitSet: ClosedCommitSet | undefined
  settlement: SettlementState
  settlementAttempts: number
  settlementNextMs: number
  settled: SettlementRecord | undefined
}

/** What a finished job is stored with. */
export type Recorded = ExecutedJob & {
  settlement: SettlementState
  settled?: SettlementRecord | undefined
  /** Not to be settled before: a quorum waits for its conflict window. */
  settleAfterMs?: number | undefined
  /** How long its bytes are kept, when that is longer than usual. */
  keepUntilMs?: number | undefined
}
