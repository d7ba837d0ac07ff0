/** Whole numbers in WebAssembly, hot. */
const bytes = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 15, 1, 13, 0,
  32, 0, 65, 31, 108, 32, 1, 115, 65, 7, 106, 11,
]

export function GET() {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)))
  const mix = exports.f as (a: number, b: number) => number
  let state = 1
  for (let i = 0; i < 200_000; i += 1) state = mix(state, i)
  return new Response(String(state))
}
