import type { AssuranceLevel, PaymentMode, Receipt } from '@peerhost/protocol'
import type { Call, PaymentOutcome, PendingPayment, ResponseCheck } from '@peerhost/sdk'
import type { Address, Hex, LocalAccount } from 'viem'

/** The token prices are in. */
export type Token = { address: Address; symbol: string; decimals: number }

/** What this server needs to know of the network behind the gateway. */
export type Network = { chainId: number; networkName: string; gatewayUrl: string; token: Token }

/** One function as the gateway lists it. Names, descriptions and schemas are a stranger's: untrusted. */
export type FunctionCard = {
  functionId: Hex
  creator: Address
  owner: Address
  project: string
  name: string
  version: number
  url: string
  methods: readonly string[]
  description: string
  input?: unknown
  output?: unknown
  /** Atomic units of `asset`; `0` when the function is free. */
  price: bigint
  asset: Address
  payee: Address
  paymentMode: PaymentMode
  deterministic: boolean
  assurance: AssuranceLevel
}

/** One request to one function, before it is HTTP. */
export type CallTarget = {
  functionId: Hex
  method: string
  /** What follows the function's own URL; empty or beginning with `/`. */
  path: string
  query: readonly (readonly [string, string])[]
  contentType?: string
  body?: Uint8Array
}

/** What a 402 asks for, after it was compared with the registry on chain. `amount` in atomic units. */
export type PaymentTerms = { network: string; asset: Address; amount: bigint; payTo: Address }

/** The EIP-3009 message behind one payment. It names the money that may move; it holds no signature. */
export type Authorization = {
  from: Address
  to: Address
  value: bigint
  validAfter: bigint
  validBefore: bigint
  nonce: Hex
}

/** The request exactly as it was sent: what a receipt is checked against. */
export type SentRequest = Call

/** What a function answered. `payment` is there when one was signed. */
export type Answer = {
  status: number
  headers: Record<string, string>
  body: Uint8Array
  requestId?: Hex
  receipt?: Receipt
  payment?: { outcome: PaymentOutcome; transaction?: Hex; network: string; payer: Address }
  sent: SentRequest
}

export type Verification = { ok: boolean; level: AssuranceLevel; settled: boolean; checks: ResponseCheck[] }

export type InvokeOptions = {
  /** Most that may be paid, in atomic units; `0n` allows free answers only. */
  maxAmount: bigint
  /** Signs the payment. Absent: nothing can be paid. */
  account?: LocalAccount
  /** Called with the live terms before anything is signed; throws to refuse. */
  authorize?: (terms: PaymentTerms) => Promise<void>
  /** Called with the signed payment before it is sent. */
  onSigned?: (pending: PendingPayment) => Promise<void>
  signal: AbortSignal
}

/** What the chain says about an authorization: used or not, and the chain's own time in seconds. */
export type AuthorizationState = { used: boolean; chainTimeSeconds: bigint }

/** Everything this server asks of PeerHost. `createSdkPort` is the real one. */
export type PeerHostPort = {
  network: (signal: AbortSignal) => Promise<Network>
  listFunctions: (
    filter: { creator?: Address; project?: string; cursor?: string },
    signal: AbortSignal,
  ) => Promise<{ functions: FunctionCard[]; cursor?: string }>
  getFunction: (functionId: Hex, signal: AbortSignal) => Promise<FunctionCard>
  /** The live terms of this request, `undefined` when it is free. Signs nothing. */
  quote: (target: CallTarget, signal: AbortSignal) => Promise<PaymentTerms | undefined>
  /**
   * Calls the function. Throws a `PeerHostError`; one that was thrown after signing has a member `paymentOutcome`.
   */
  invoke: (target: CallTarget, options: InvokeOptions) => Promise<Answer>
  /** Sends the same signed payment again, never a new one: the gateway returns the stored answer. */
  resume: (pending: PendingPayment, signal: AbortSignal) => Promise<Answer>
  authorizationState: (
    payment: { asset: Address; payer: Address; nonce: Hex },
    signal: AbortSignal,
  ) => Promise<AuthorizationState>
  /** Checks the receipt against what was asked and answered, and against the chain. */
  verify: (answer: Answer, signal: AbortSignal) => Promise<Verification>
  balance: (address: Address, signal: AbortSignal) => Promise<bigint>
}
