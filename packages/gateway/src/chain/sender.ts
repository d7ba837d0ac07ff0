import type { Account, Address, Hex, PublicClient, Transport, Chain as ViemChain } from 'viem'
import { BaseError, createWalletClient } from 'viem'

/** Sends transactions of one key, one after another, so that their nonces never race. */
export type Sender = {
  address: Address
  send: (transaction: { to: Address; data: Hex; gas?: bigint }) => Promise<Hex>
}

/**
 * The node's pending count is the nonce: it is asked for each time, inside the lock, so that a transaction that was
 * refused leaves no gap behind it.
 */
export function createSender(deps: {
  client: PublicClient<Transport, ViemChain>
  account: Account & { type: 'local' }
  transport: Transport
}): Sender {
  const { client, account } = deps
  const wallet = createWalletClient({ account, chain: client.chain, transport: deps.transport })
  let last: Promise<unknown> = Promise.resolve()
  const sendNow = async (transaction: { to: Address; data: Hex; gas: bigint }, attempt: number): Promise<Hex> => {
    const nonce = await client.getTransactionCount({ address: account.address, blockTag: 'pending' })
    try {
      return await wallet.sendTransaction({ ...transaction, nonce })
    } catch (error) {
      if (attempt > 0 && isNonceRace(error)) return sendNow(transaction, attempt - 1)
      throw error
    }
  }
  return {
    address: account.address,
    send: async ({ to, data, gas }) => {
      // Estimated outside the lock: a transaction that would revert does not hold up the others.
      const limit = gas ?? withMargin(await client.estimateGas({ account: account.address, to, data }))
      const sent = last.then(() => sendNow({ to, data, gas: limit }, 2))
      last = sent.catch(() => undefined)
      return sent
    },
  }
}

function withMargin(gas: bigint): bigint {
  return (gas * 5n) / 4n + 20_000n
}

function isNonceRace(error: unknown): boolean {
  const text = error instanceof BaseError ? `${error.shortMessage} ${error.details}` : String(error)
  return /nonce too low|already known|replacement transaction/i.test(text)
}
