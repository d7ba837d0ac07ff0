import { functionRegistryAbi, type PaymentMode, paymentModeNumber, paymentModes } from '@peerhost/protocol'
import { type Address, type Hex, isAddressEqual, parseEventLogs } from 'viem'
import { formatAmount, parseAmount } from '../amount.ts'
import { readFunction } from '../chain/readFunction.ts'
import { eventMissing, sendTransaction } from '../chain/sendTransaction.ts'
import type { Connection } from '../connection.ts'

/**
 * Changes what callers pay, from the next quote on. Payee and mode stay as they are when absent.
 * Throws `function_not_found`, `conflict` when the account is not the owner, and what a transaction throws.
 */
export async function setPrice(connection: Connection, parameters: setPrice.Parameters): Promise<setPrice.ReturnType> {
  const { network } = connection
  const state = await readFunction(connection, parameters.functionId)
  const price = parseAmount(parameters.price, network.token.decimals)
  const mode = parameters.paymentMode ? paymentModeNumber(parameters.paymentMode) : state.paymentMode
  const receipt = await sendTransaction(
    connection,
    {
      purpose: 'change the price',
      address: network.registry,
      abi: functionRegistryAbi,
      functionName: 'setPrice',
      args: [parameters.functionId, price, parameters.payee ?? state.storedPayee, mode],
    },
    parameters.signal,
  )
  const event = parseEventLogs({ abi: functionRegistryAbi, eventName: 'PriceChanged', logs: receipt.logs }).find(
    (log) =>
      isAddressEqual(log.address, network.registry) && log.args.functionId === parameters.functionId.toLowerCase(),
  )
  if (!event) throw eventMissing('PriceChanged', receipt.transactionHash)
  return {
    functionId: parameters.functionId,
    price: event.args.price,
    priceText: formatAmount(event.args.price, network.token.decimals),
    payee: event.args.payee,
    paymentMode: paymentModes[event.args.paymentMode - 1] ?? 'after',
    transaction: receipt.transactionHash,
  }
}

export declare namespace setPrice {
  type Parameters = {
    functionId: Hex
    /** Decimal tokens, such as "0.001"; "0" makes the function free. */
    price: string
    /** Who is paid; the zero address means the owner. */
    payee?: Address | undefined
    paymentMode?: PaymentMode | undefined
    signal?: AbortSignal | undefined
  }
  type ReturnType = {
    functionId: Hex
    price: bigint
    priceText: string
    /** As stored: the zero address means the owner. */
    payee: Address
    paymentMode: PaymentMode
    transaction: Hex
  }
}
