import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatAmount, parseAmount } from './amount.ts'

test('reads decimal tokens exactly', () => {
  expect(parseAmount('0', 6)).toBe(0n)
  expect(parseAmount('0.000249', 6)).toBe(249n)
  expect(parseAmount('1.10', 6)).toBe(1_100_000n)
  expect(parseAmount('0.0010000000', 6)).toBe(1_000n)
  expect(parseAmount('7', 0)).toBe(7n)
})

test('refuses everything that would have to be rounded or guessed', () => {
  for (const text of ['', ' 1', '1 ', '+1', '-1', '1e3', '01', '.5', '1.', '1,5', '0x1', 'NaN', '0.0000001', '٣']) {
    expect(() => parseAmount(text, 6), text).toThrow(expect.objectContaining({ code: 'request_invalid' }))
  }
})

test('gives back every amount it formatted', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n }), fc.integer({ min: 0, max: 18 }), (amount, decimals) => {
      expect(parseAmount(formatAmount(amount, decimals), decimals)).toBe(amount)
    }),
  )
})
