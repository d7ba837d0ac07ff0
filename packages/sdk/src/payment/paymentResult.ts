import { decodePaymentResponseHeader } from '@x402/core/http'
import type { Hex } from 'viem'
import { formatAmount } from '../amount.ts'
import { tokenAbi } from '../chain/tokenAbi.ts'
import type { Connection } from '../connection.ts'
import type { Answer } from '../exchange.ts'
import type { PaymentResult } from '../response.ts'
import type { PaymentOutcome, PendingPayment } from './pendingPayment.ts'

/** What a signed payment came to, by the gateway's word when it reports a settlement, else by the chain's. */
export async function paymentResult(
  connection: Connection,
  pending: PendingPayment,
  answer: Answer,
): Promise<PaymentResult> {
  const { network, asset, payer, payTo, amount, nonce, validBeforeSeconds } = pending.authorization
  const transaction = settledIn(answer.headers)
  return {
    outcome: transaction ? 'paid' : await readOutcome(connection, pending),
    validBeforeSeconds,
    amount: BigInt(amount),
    amountText: formatAmount(BigInt(amount), connection.network.token.decimals),
    asset,
    payTo,
    payer,
    network,
    nonce,
    transaction,
  }
}

/** Asks the token whether the authorization was used. `unknown` when the chain does not answer. */
export async function readOutcome(connection: Connection, pending: PendingPayment): Promise<PaymentOutcome> {
  const { asset, payer, nonce } = pending.authorization
  try {
    const used = await connection.publicClient.readContract({
      address: asset,
      abi: tokenAbi,
      functionName: 'authorizationState',
      args: [payer, nonce],
    })
    return used ? 'paid' : 'not-paid'
  } catch {
    return 'unknown'
  }
}

function settledIn(headers: Headers): Hex | undefined {
  const header = headers.get('payment-response')
  if (header === null) return undefined
  try {
    const { success, transaction } = decodePaymentResponseHeader(header)
    return success && /^0x[0-9a-f]{64}$/i.test(transaction) ? (transaction as Hex) : undefined
  } catch {
    return undefined
  }
}
