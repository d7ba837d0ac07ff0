/** Mathematical functions over many arguments, cold and hot. */
export function GET() {
  const functions = ['sin', 'cos', 'tan', 'exp', 'log', 'cbrt', 'atanh', 'expm1', 'log1p', 'sinh', 'tanh'] as const
  const bits = new DataView(new ArrayBuffer(8))
  let sum = 0n
  for (let step = 1; step < 4_000; step += 1) {
    for (const name of functions) {
      bits.setFloat64(0, Math[name](step / 4_001) + Math[name](0.5) ** 1.7 + step ** 0.3)
      sum = BigInt.asUintN(64, sum * 31n + bits.getBigUint64(0))
    }
  }
  return new Response(sum.toString(16))
}
