/** Enough work for every tier of the compiler. */
export function GET() {
  let state = 0x9e3779b9
  let sum = 0
  for (let i = 0; i < 3_000_000; i += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    sum = (sum + (state >>> 3) / 7) % 1_000_003
  }
  return new Response(String(sum))
}
