export type Chance = {
  /** A whole number from 0 to below `end`. */
  below: (end: number) => number
  /** Some numbers from -end to end. */
  numbers: (count: number, end: number) => number[]
  /** Letters of several scripts, combining marks among them. */
  text: (length: number) => string
}

const letters = [
  'a',
  'Z',
  'é',
  'e\u0301',
  'ß',
  'İ',
  'ﬁ',
  '漢',
  '😀',
  '👩‍👩‍👧',
  'ｱ',
  '\u00a0',
  '-',
  '9',
  'Å',
  'ö',
  '한',
  'σ',
  'ς',
  ' ',
]

/** Always the same chance for a seed: mulberry32. */
export function createChance(seed: number): Chance {
  let state = seed
  const below = (end: number) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % end
  }
  return {
    below,
    numbers: (count, end) => Array.from({ length: count }, () => below(2 * end + 1) - end),
    text: (length) => Array.from({ length }, () => letters[below(letters.length)]).join(''),
  }
}
