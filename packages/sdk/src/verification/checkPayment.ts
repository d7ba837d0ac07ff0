import {
  depositAddress,
  type PaymentRecord,
  paymentId,
  type Receipt,
  type ReceiptCheck,
  sameHex,
  type Ticket,
  zeroBytes32,
} from '@peerhost/protocol'
import { type Address, isAddressEqual, parseEventLogs, TransactionReceiptNotFoundError, zeroAddress } from 'viem'
import { readChain } from '../chain/readChain.ts'
import { readSuite } from '../chain/readSuite.ts'
import { tokenAbi } from '../chain/tokenAbi.ts'
import type { Connection } from '../connection.ts'
import { check } from './check.ts'

/**
 * Was exactly the ticket's price paid by its payer: to its payee with the authorization that the ticket is bound to, or into
 * escrow, to the address that follows from the quote the ticket is bound to?
 */
export async function checkPayment(
  connection: Connection,
  receipt: Receipt,
  result: { delivered: boolean },
): Promise<ReceiptCheck> {
  const { ticket, payment } = receipt
  if (ticket.price === 0n) {
    if (payment) return check('payment', 'A payment is named for a free call.')
    const unbound = isAddressEqual(ticket.payer, zeroAddress) && sameHex(ticket.quoteId, zeroBytes32)
    return check('payment', unbound ? undefined : 'A free ticket names a payer or a quote.')
  }
  if (!payment) {
    // In the mode `after` a failed call is not charged.
    return check('payment', result.delivered ? 'The call had a price, and no payment is named.' : undefined)
  }
  const { escrow } = await readSuite(connection)
  const deposit = depositAddress(escrow, ticket.quoteId)
  const problem = recordProblem(connection, ticket, payment, deposit)
  return check('payment', problem ?? (await chainProblem(connection, payment)))
}

function recordProblem(
  { network }: Connection,
  ticket: Ticket,
  payment: PaymentRecord,
  deposit: Address,
): string | undefined {
  const inEscrow = isAddressEqual(payment.payTo, deposit)
  const { chainId, token } = network
  const id = paymentId({ chainId, asset: payment.asset, payer: payment.payer, nonce: payment.nonce })
  const problems: [boolean, string][] = [
    [payment.network !== `eip155:${chainId}`, 'The payment is named on another chain.'],
    [!isAddressEqual(payment.asset, token.address), 'The payment is in another token.'],
    [payment.amount !== ticket.price.toString(), 'The amount paid is not the price.'],
    [!isAddressEqual(payment.payer, ticket.payer), 'The payer is not the ticket’s.'],
    [!inEscrow && !isAddressEqual(payment.payTo, ticket.payee), 'The payee is not the ticket’s.'],
    // The address itself is bound to the quote.
    [!inEscrow && !sameHex(id, ticket.quoteId), 'The ticket is bound to another payment.'],
  ]
  return problems.find(([wrong]) => wrong)?.[1]
}

async function chainProblem({ publicClient }: Connection, payment: PaymentRecord): Promise<string | undefined> {
  const receipt = await readChain('read the payment', async () => {
    try {
      return await publicClient.getTransactionReceipt({ hash: payment.transaction })
    } catch (error) {
      if (error instanceof TransactionReceiptNotFoundError) return undefined
      throw error
    }
  })
  if (!receipt) return 'The payment’s transaction is not on chain.'
  if (receipt.status !== 'success') return 'The payment’s transaction reverted.'
  const logs = receipt.logs.filter((log) => isAddressEqual(log.address, payment.asset))
  const used = parseEventLogs({ abi: tokenAbi, eventName: 'AuthorizationUsed', logs }).some(
    ({ args }) => isAddressEqual(args.authorizer, payment.payer) && sameHex(args.nonce, payment.nonce),
  )
  if (!used) return 'The payment’s transaction does not use the authorization.'
  const moved = parseEventLogs({ abi: tokenAbi, eventName: 'Transfer', logs }).some(
    ({ args }) =>
      isAddressEqual(args.from, payment.payer) &&
      isAddressEqual(args.to, payment.payTo) &&
      args.value === BigInt(payment.amount),
  )
  return moved ? undefined : 'The payment’s transaction does not move the price from payer to payee.'
}
