/** A recursion that stays far from the end of the stack. */
export function GET() {
  const depth = (n: number): number => (n === 0 ? 0 : 1 + depth(n - 1))
  let nested: unknown = 0
  for (let i = 0; i < 2_000; i += 1) nested = [nested]
  return Response.json([depth(4_000), JSON.stringify(nested).length])
}
