/** The middle of the values; the mean of the two middles when their number is even. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

/** The value below which the fraction `q` of the values lies, by linear interpolation. */
export function quantile(values: readonly number[], q: number): number {
  if (values.length === 0) throw new RangeError('There is no quantile of no values.')
  const sorted = [...values].sort((a, b) => a - b)
  const at = (sorted.length - 1) * q
  const low = sorted[Math.floor(at)] ?? 0
  const high = sorted[Math.ceil(at)] ?? low
  return low + (high - low) * (at - Math.floor(at))
}
