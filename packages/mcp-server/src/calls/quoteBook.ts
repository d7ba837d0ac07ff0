import { randomUUID } from 'node:crypto'
import { PeerHostError, sameHex } from '@peerhost/protocol'
import type { PaymentTerms } from '../peerHostPort.ts'

/** Quotes that were given out: each binds one request to its terms, once, for a short time. */
export type QuoteBook = {
  put: (callKey: string, terms: PaymentTerms) => { quoteId: string; expiresAtMs: number }
  /** Uses the quote up. Throws `price_drift` when there is none for this request any more. */
  take: (quoteId: string, callKey: string) => PaymentTerms
}

const lifetimeMs = 120_000
const maximumQuotes = 1_000

/** An empty book; it lives as long as the process. */
export function createQuoteBook({ nowMs }: { nowMs: () => number }): QuoteBook {
  const quotes = new Map<string, { callKey: string; terms: PaymentTerms; expiresAtMs: number }>()
  return {
    put: (callKey, terms) => {
      for (const [id, quote] of quotes) {
        if (quote.expiresAtMs > nowMs() && quotes.size < maximumQuotes) break
        quotes.delete(id)
      }
      const quoteId = randomUUID()
      const expiresAtMs = nowMs() + lifetimeMs
      quotes.set(quoteId, { callKey, terms, expiresAtMs })
      return { quoteId, expiresAtMs }
    },
    take: (quoteId, callKey) => {
      const quote = quotes.get(quoteId)
      if (!quote || quote.expiresAtMs <= nowMs())
        throw new PeerHostError('price_drift', 'The quote has expired, was used before, or never was.', {
          hint: 'Nothing was paid. Ask peer_quote again.',
        })
      if (quote.callKey !== callKey)
        throw new PeerHostError('request_invalid', 'The quote is for other arguments.', {
          hint: 'Nothing was paid. Ask peer_quote with the arguments of the call.',
        })
      quotes.delete(quoteId)
      return quote.terms
    },
  }
}

/** Throws `payee_changed` or `price_drift` when the live terms are worse than, or other than, those that were shown. */
export function assertSameTerms(shown: PaymentTerms, live: PaymentTerms): void {
  if (!sameHex(shown.payTo, live.payTo) || !sameHex(shown.asset, live.asset) || shown.network !== live.network) {
    throw new PeerHostError('payee_changed', 'The live terms name another payee, token or network than was shown.', {
      details: [`Shown: ${shown.payTo} on ${shown.network}`, `Live: ${live.payTo} on ${live.network}`],
      hint: 'Nothing was signed. Use peer_describe to see the terms anew, and decide again.',
    })
  }
  if (live.amount > shown.amount) {
    throw new PeerHostError('price_drift', 'The price is higher than was shown.', {
      details: [`Shown: ${shown.amount}`, `Live: ${live.amount} (atomic units)`],
      hint: 'Nothing was signed. Use peer_describe to see the new price, and decide again.',
    })
  }
}
