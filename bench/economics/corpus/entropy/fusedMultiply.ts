/** WebAssembly's relaxed multiply-add: fused where the processor has it. */
const bytes = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 124, 124, 124, 1, 124, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 22, 1, 20,
  0, 32, 0, 253, 20, 32, 1, 253, 20, 32, 2, 253, 20, 253, 135, 2, 253, 33, 0, 11,
]

export function GET() {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(bytes)))
  const multiplyAdd = exports.f as (a: number, b: number, c: number) => number
  return new Response(String(multiplyAdd(1 + 2 ** -30, 1 + 2 ** -30, -1 - 2 ** -29)))
}
