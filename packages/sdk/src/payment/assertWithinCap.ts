import { PeerHostError } from '@peerhost/protocol'
import { formatAmount, parseAmount } from '../amount.ts'
import type { Connection } from '../connection.ts'
import type { Quote } from './chooseRequirement.ts'

/** Throws `payment_required` when the caller allowed no spending, `budget_exceeded` when the price is over the cap. */
export function assertWithinCap({ network }: Connection, quote: Quote, maxPrice: string): void {
  const { token } = network
  const cap = parseAmount(maxPrice, token.decimals)
  if (quote.price <= cap) return
  const details = [
    `Price: ${quote.priceText} ${token.symbol}`,
    `Cap: ${formatAmount(cap, token.decimals)} ${token.symbol}`,
  ]
  const hint = `Nothing was signed. Pass \`maxPrice: '${quote.priceText}'\` or more to pay for this call.`
  if (cap === 0n) throw new PeerHostError('payment_required', 'This function has a price.', { details, hint })
  throw new PeerHostError('budget_exceeded', 'The price is over the cap of this call.', { details, hint })
}
