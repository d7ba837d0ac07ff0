/** The bits of a NaN that WebAssembly computes: its standard leaves the sign and the payload open. */
const bytes = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 124, 124, 1, 126, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 13, 1, 11, 0,
  32, 0, 32, 1, 163, 32, 0, 160, 189, 11,
]

export function GET() {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)))
  const bits = exports.f as (a: number, b: number) => bigint
  const seen = new Set<string>()
  for (let call = 0; call < 20_000; call += 1) seen.add(bits(0, 0).toString(16))
  for (let call = 0; call < 2_000; call += 1) seen.add(bits(Number.NaN, Number.POSITIVE_INFINITY).toString(16))
  return Response.json([...seen])
}
