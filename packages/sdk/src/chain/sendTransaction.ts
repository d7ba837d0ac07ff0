import { PeerHostError } from '@peerhost/protocol'
import { type Abi, type Address, encodeFunctionData, type Hex, type TransactionReceipt } from 'viem'
import { type Connection, requireAccount } from '../connection.ts'
import { chainError } from './chainError.ts'

/** How long a transaction may stay unmined before the wait ends with `transaction_failed`. */
const receiptTimeoutMs = 180_000

/** A call of a contract, and what it is for: the words that follow “to” in an error. */
export type ContractCall = {
  purpose: string
  address: Address
  abi: Abi
  functionName: string
  args: readonly unknown[]
}

/**
 * Sends one call and waits until it is mined. It is simulated first, only to turn a revert into its reason before gas
 * is spent: callers read facts from the logs of the receipt.
 */
export async function sendTransaction(
  connection: Connection,
  call: ContractCall,
  signal?: AbortSignal,
): Promise<TransactionReceipt> {
  const { publicClient } = connection
  const { account, walletClient } = requireAccount(connection, `To ${call.purpose}`)
  signal?.throwIfAborted()
  const { address, abi, functionName, args } = call
  try {
    await publicClient.simulateContract({ account: account.address, address, abi, functionName, args })
    const hash = await walletClient.sendTransaction({
      account,
      chain: publicClient.chain,
      to: address,
      data: encodeFunctionData({ abi, functionName, args }),
    })
    const receipt = await unlessAborted(
      publicClient.waitForTransactionReceipt({ hash, timeout: receiptTimeoutMs }),
      hash,
      signal,
    )
    if (receipt.status === 'success') return receipt
    throw new PeerHostError('transaction_failed', `The transaction to ${call.purpose} was mined and reverted.`, {
      details: [`Transaction: ${hash}`],
      hint: 'Something changed between the check and the block: try again.',
    })
  } catch (cause) {
    throw chainError(cause, call.purpose)
  }
}

/** What was sent cannot be called back: an abort ends the wait and names the transaction. */
async function unlessAborted<T>(work: Promise<T>, hash: Hex, signal?: AbortSignal): Promise<T> {
  if (!signal) return work
  return new Promise<T>((resolve, reject) => {
    const abort = () =>
      reject(
        new PeerHostError('transaction_failed', 'The wait for a transaction was aborted after it had been sent.', {
          details: [`Transaction: ${hash}`],
          cause: signal.reason,
          hint: 'It may still be mined. Running the same action again continues from what is on chain.',
        }),
      )
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** The error for a mined transaction that lacks the event it must have emitted. */
export function eventMissing(event: string, transactionHash: string): PeerHostError {
  return new PeerHostError('transaction_failed', `The transaction was mined without the event ${event}.`, {
    details: [`Transaction: ${transactionHash}`],
    hint: 'Check that coordinator and registry of the network are PeerHost contracts.',
  })
}
