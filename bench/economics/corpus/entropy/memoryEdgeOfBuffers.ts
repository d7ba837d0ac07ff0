/** The same edge outside of V8's heap. */
export function GET() {
  const kept: Uint8Array[] = []
  for (let block = 0; block < 116; block += 1) kept.push(new Uint8Array(1_048_576).fill(block))
  return new Response(String(kept.length))
}
