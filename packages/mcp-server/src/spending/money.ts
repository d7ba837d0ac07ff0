import { formatUnits, parseUnits } from 'viem'
import { z } from 'zod'

/** Limits are kept in millionths of a dollar token; every allow-listed asset has this many decimals. */
const MONEY_DECIMALS = 6

const decimalPattern = /^(0|[1-9][0-9]{0,17})(\.[0-9]{1,6})?$/

/** `"0.05"` → `50000n`. */
export const moneySchema = z
  .string()
  .regex(decimalPattern, 'an amount such as "0.05": digits, and at most six after the point')
  .transform((text) => parseUnits(text, MONEY_DECIMALS))

/** `50000n` → `"0.05"`. */
export function formatMoney(amount: bigint): string {
  return formatUnits(amount, MONEY_DECIMALS)
}
