import { PeerHostError } from '@peerhost/protocol'
import { formatUnits, parseUnits } from 'viem'

/**
 * Decimal tokens → atomic units, exactly. Throws `request_invalid` for signs, exponents and for more decimals than the
 * token has: an amount of money is never rounded.
 */
export function parseAmount(text: string, decimals: number): bigint {
  const match = /^(0|[1-9][0-9]{0,25})(\.([0-9]+))?$/.exec(text)
  if (!match || (match[3] ?? '').replace(/0+$/, '').length > decimals) {
    throw new PeerHostError('request_invalid', `“${text}” is not an amount of this token.`, {
      hint: `Write a decimal number such as "0.001", with at most ${decimals} decimals.`,
    })
  }
  return parseUnits(text, decimals)
}

/** Atomic units → decimal tokens. */
export function formatAmount(amount: bigint, decimals: number): string {
  return formatUnits(amount, decimals)
}
