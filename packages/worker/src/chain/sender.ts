import { PeerHostError } from '@peerhost/protocol'
import {
  type Abi,
  type Address,
  BaseError,
  ContractFunctionRevertedError,
  createWalletClient,
  encodeFunctionData,
  type Hex,
  type Log,
  type PublicClient,
  type Transport,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

/** One call to a contract. */
export type ContractCall = { address: Address; abi: Abi; functionName: string; args: readonly unknown[] }

/** A mined transaction. */
export type SentTransaction = { transaction: Hex; blockNumber: bigint; logs: readonly Log[] }

/** Sends transactions of one key, one nonce after the other. */
export type Sender = {
  address: Address
  /**
   * Simulates, sends and waits until it is mined; gives `undefined` when `isWorth` says that the simulated result is not
   * worth the gas. Throws `transaction_failed` with the contract's reason in `details`,
   * `chain_unavailable` when the chain cannot be asked, `insufficient_funds` when the key cannot pay for gas.
   */
  send: {
    (call: ContractCall): Promise<SentTransaction>
    (call: ContractCall, isWorth: (result: unknown) => boolean): Promise<SentTransaction | undefined>
  }
}

const minedTimeoutMs = 60_000

export function createSender(
  { client, transport }: { client: PublicClient; transport: Transport },
  privateKey: Hex,
): Sender {
  const account = privateKeyToAccount(privateKey)
  const wallet = createWalletClient({ account, chain: client.chain, transport })
  let tail: Promise<unknown> = Promise.resolve()

  async function submit(call: ContractCall, isWorth: (result: unknown) => boolean): Promise<Hex | undefined> {
    const { result } = await client.simulateContract({ ...call, account })
    if (!isWorth(result)) return undefined
    const data = encodeFunctionData(call)
    const nonce = await client.getTransactionCount({ address: account.address, blockTag: 'pending' })
    return wallet.sendTransaction({ to: call.address, data, nonce, chain: client.chain })
  }

  async function send(call: ContractCall, isWorth: (result: unknown) => boolean): Promise<SentTransaction | undefined> {
    try {
      const sent = tail.then(() => submit(call, isWorth))
      // The next one waits for this one's nonce to be taken, not for its block.
      tail = sent.catch(() => {})
      const hash = await sent
      if (!hash) return undefined
      const receipt = await client.waitForTransactionReceipt({ hash, timeout: minedTimeoutMs })
      if (receipt.status !== 'success')
        throw new PeerHostError('transaction_failed', 'The transaction was reverted.', { details: [hash] })
      return { transaction: hash, blockNumber: receipt.blockNumber, logs: receipt.logs }
    } catch (error) {
      throw toPeerHostError(error, call.functionName)
    }
  }

  return {
    address: account.address,
    send: ((call: ContractCall, isWorth: (result: unknown) => boolean = () => true) =>
      send(call, isWorth)) as Sender['send'],
  }
}

/** The name of the contract's own error, when that is why a call failed. */
export function revertName(error: unknown): string | undefined {
  if (!(error instanceof BaseError)) return undefined
  const reverted = error.walk((cause) => cause instanceof ContractFunctionRevertedError)
  return reverted instanceof ContractFunctionRevertedError ? (reverted.data?.errorName ?? reverted.reason) : undefined
}

function toPeerHostError(error: unknown, functionName: string): unknown {
  if (!(error instanceof BaseError)) return error
  const reason = revertName(error)
  if (reason)
    return new PeerHostError('transaction_failed', `The contract refused ${functionName}.`, {
      details: [reason, error.shortMessage],
      cause: error,
    })
  if (error.walk((cause) => (cause as Error).name === 'InsufficientFundsError'))
    return new PeerHostError('insufficient_funds', 'The key cannot pay for gas.', {
      details: [error.shortMessage],
      hint: 'Send it some of the chain’s own coin.',
      cause: error,
    })
  return new PeerHostError('chain_unavailable', `The chain could not be asked to ${functionName}.`, {
    details: [error.shortMessage],
    hint: 'Check the RPC address.',
    cause: error,
  })
}
