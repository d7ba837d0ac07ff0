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

/** A job with its result, checked: the seals open, the signature is of an active operator's key. */
export type ExecutedJob = Job & { attested: SignedAttestation; result: Uint8Array; usage?: Usage | undefined }

/** `none`: nothing to settle. `pending` → `sending` → `settled` or `failed`. */
export type SettlementState = 'none' | 'pending' | 'sending' | 'settled' | 'failed'

/** A request as it is kept. Bytes go after the transcript's retention; the rest stays. */
export type RequestRecord = Omit<Job, 'input'> & {
  status: 'dispatched' | 'executed' | 'failed'
  input: Uint8Array | undefined
  result: Uint8Array | undefined
  attested: SignedAttestation | undefined
  settlement: SettlementState
  settlementAttempts: number
  settlementNextMs: number
  settled: SettlementRecord | undefined
}

/** What `settlement` a finished job begins with. */
export type Recorded = ExecutedJob & { settlement: SettlementState; settled?: SettlementRecord | undefined }
