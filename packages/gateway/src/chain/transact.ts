import {
  confirmedLaneAbi,
  disputeCourtAbi,
  executionCoordinatorAbi,
  operatorRegistryAbi,
  paymentEscrowAbi,
} from '@peerhost/protocol'
import {
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  decodeErrorResult,
  type Hex,
  isHex,
  type PublicClient,
  type TransactionReceipt,
  type Transport,
  type Chain as ViemChain,
} from 'viem'
import type { Sent } from './chain.ts'
import type { Sender } from './sender.ts'

export type Client = PublicClient<Transport, ViemChain>
export type TransactDeps = {
  client: Client
  sender: Sender
  /** Longest wait for a transaction of ours to be mined. */
  receiptTimeoutMs: number
}

export type Transacted =
  | { type: 'mined'; transaction: Hex; receipt: TransactionReceipt }
  | { type: 'reverted'; reason: string }

/** Sends and waits until it is mined. A contract's refusal is a value; that the chain does not answer is thrown. */
export async function transact(deps: TransactDeps, call: { to: Address; data: Hex }): Promise<Transacted> {
  let transaction: Hex
  try {
    transaction = await deps.sender.send(call)
  } catch (error) {
    const reason = revertReason(error)
    if (reason === undefined) throw error
    return { type: 'reverted', reason }
  }
  const receipt = await deps.client.waitForTransactionReceipt({ hash: transaction, timeout: deps.receiptTimeoutMs })
  if (receipt.status === 'success') return { type: 'mined', transaction, receipt }
  return { type: 'reverted', reason: `The transaction ${transaction} reverted.` }
}

/** The same without the receipt. */
export async function sendAndWait(deps: TransactDeps, call: { to: Address; data: Hex }): Promise<Sent> {
  const sent = await transact(deps, call)
  if (sent.type === 'reverted') return sent
  return { type: 'mined', transaction: sent.transaction, blockNumber: sent.receipt.blockNumber }
}

const errorsAbi = [
  ...executionCoordinatorAbi,
  ...confirmedLaneAbi,
  ...operatorRegistryAbi,
  ...paymentEscrowAbi,
  ...disputeCourtAbi,
].filter((item) => item.type === 'error')

/** The contract's own words when it refused, `undefined` when something else went wrong. */
export function revertReason(error: unknown): string | undefined {
  if (!(error instanceof BaseError)) return undefined
  const found = error.walk((cause) => isHex((cause as { data?: unknown }).data)) as { data?: Hex } | null
  const named = found?.data !== undefined && found.data.length >= 10 ? nameOf(found.data) : undefined
  if (named !== undefined) return named
  return /revert/i.test(`${error.shortMessage} ${error.details}`) ? error.shortMessage : undefined
}

function nameOf(data: Hex): string | undefined {
  try {
    const { errorName, args } = decodeErrorResult({ abi: errorsAbi, data })
    return `${errorName}(${(args ?? []).map(String).join(', ')})`
  } catch {
    return undefined
  }
}

/** A view's value, or `undefined` when the contract says that there is none. */
export async function unlessReverted<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    const isRevert =
      error instanceof BaseError && error.walk((e) => e instanceof ContractFunctionRevertedError) !== null
    if (isRevert) return undefined
    throw error
  }
}
