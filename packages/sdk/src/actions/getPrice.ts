import { type PaymentMode, paymentModes } from '@peerhost/protocol'
import type { Address, Hex } from 'viem'
import { formatAmount } from '../amount.ts'
import { readFunction } from '../chain/readFunction.ts'
import type { Connection } from '../connection.ts'

/** What a call of a function costs now, from the chain. Throws `function_not_found` and `chain_unavailable`. */
export async function getPrice(connection: Connection, parameters: getPrice.Parameters): Promise<getPrice.ReturnType> {
  const state = await readFunction(connection, parameters.functionId)
  const { token } = connection.network
  return {
    functionId: parameters.functionId,
    price: state.price,
    priceText: formatAmount(state.price, token.decimals),
    asset: token.address,
    payee: state.payee,
    owner: state.owner,
    paymentMode: paymentModes[state.paymentMode - 1] ?? 'after',
    version: state.currentVersion,
  }
}

export declare namespace getPrice {
  type Parameters = { functionId: Hex }
  type ReturnType = {
    functionId: Hex
    /** Atomic units of `asset`. */
    price: bigint
    /** Decimal tokens. */
    priceText: string
    asset: Address
    /** Who is paid: the owner unless another is set. */
    payee: Address
    owner: Address
    paymentMode: PaymentMode
    /** The version that runs now. */
    version: number
  }
}
