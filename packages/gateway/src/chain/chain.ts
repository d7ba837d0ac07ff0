import type { ProtocolTimes, SettlementBatch, Ticket } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import type { AuthorizationUse } from '../payment/payment.ts'
import type { CourtChain } from './courtChain.ts'
import type { EscrowChain } from './escrowChain.ts'
import type { OperatorChain } from './operatorChain.ts'
import type { RequesterChain } from './requesterChain.ts'

/** The registry's state of one function, as the contract has it. A zero payee stands for the owner. */
export type FunctionState = {
  owner: Address
  currentVersion: number
  latestVersion: number
  paymentMode: number
  payee: Address
  price: bigint
}

/** One immutable version of a function, as the contract has it. */
export type Deployment = {
  bundleDigest: Hex
  metadataDigest: Hex
  runtimeDigest: Hex
  limitsClass: number
  flags: number
  quorum: number
  lane: number
  fee: bigint
}

/**
 * What a settlement transaction did. `index` is the position of the request's event among the transaction's
 * `ExecutionSettled` events.
 */
export type SettlementOutcome =
  | {
      type: 'mined'
      transaction: Hex
      blockNumber: bigint
      settled: readonly { requestId: Hex; index: number }[]
      /** `reason` is the number of `SkipReason`. */
      skipped: readonly { requestId: Hex; reason: number }[]
    }
  | { type: 'reverted'; reason: string }

/** An `ExecutionSettled` event. */
export type SettledEvent = {
  requestId: Hex
  operator: Address
  resultSeal: Hex
  outcome: number
  status: number
  transaction: Hex
  blockNumber: bigint
  index: number
}

/** A quorum of the confirmed lane agreed; it is paid once the conflict window is over. */
export type AgreedEvent = { requestId: Hex; resultSeal: Hex; transaction: Hex; blockNumber: bigint }

type At = { blockNumber: bigint; logIndex: number }
/** The events that the gateway follows. */
export type ChainEvent = At &
  (
    | { type: 'function-created'; functionId: Hex; creator: Address; project: string; name: string }
    | { type: 'function-changed'; functionId: Hex }
    | {
        type: 'price-changed'
        functionId: Hex
        price: bigint
        payee: Address
        paymentMode: number
        timestampSeconds: number
      }
    | ({ type: 'settled' } & SettledEvent)
    | ({ type: 'agreed' } & AgreedEvent)
    | { type: 'output'; requestId: Hex; output: Hex }
    | { type: 'operator-changed'; operator: Address }
    | { type: 'credit-changed'; funder: Address }
    | { type: 'requester-changed'; requester: Address }
  )

export type ChainHead = { number: bigint; timestampSeconds: number }

/** What became of a transaction of ours. */
export type Sent = { type: 'mined'; transaction: Hex; blockNumber: bigint } | { type: 'reverted'; reason: string }

/** What the gateway asks of the chain and does on it. Sends are signed by the requester's key, one at a time. */
export type Chain = {
  head: () => Promise<ChainHead>
  /** Events of the suite in these blocks, both included, in order. */
  events: (fromBlock: bigint, toBlock: bigint) => Promise<ChainEvent[]>
  functionState: (functionId: Hex) => Promise<FunctionState | undefined>
  deployment: (functionId: Hex, version: number) => Promise<Deployment | undefined>
  availableCredit: (funder: Address, requester: Address) => Promise<{ available: bigint; maxFee: bigint }>
  isConsumed: (requester: Address, sequence: bigint) => Promise<boolean>
  settledEvent: (requestId: Hex, fromBlock: bigint) => Promise<SettledEvent | undefined>
  settle: (batch: SettlementBatch) => Promise<SettlementOutcome>
  post: (ticket: Ticket, signature: Hex, input: Hex) => Promise<{ transaction: Hex }>
  /** The block in which a ticket was posted; `undefined` for one that was not. */
  postedBlock: (requestId: Hex) => Promise<bigint | undefined>
  /** Pays a posted quorum that agreed. */
  finalise: (ticket: Ticket) => Promise<Sent>
  expire: (ticket: Ticket) => Promise<Sent>
  authorizationUse: (payer: Address, nonce: Hex, fromBlock: bigint) => Promise<AuthorizationUse>
} & OperatorChain &
  RequesterChain & { escrow: EscrowChain; court: CourtChain }

/** What does not change while the process lives. */
export type ChainParameters = {
  times: ProtocolTimes
  token: { address: Address; name: string; version: string; symbol: string; decimals: number }
}
