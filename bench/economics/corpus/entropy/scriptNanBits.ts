/** The bits of a NaN that a script computes, before and after it was optimized. */
export function GET() {
  const view = new DataView(new ArrayBuffer(8))
  const bits = (a: number, b: number) => {
    view.setFloat64(0, a / b - Number.NaN)
    return view.getBigUint64(0).toString(16)
  }
  const raw = new Float64Array(1)
  const words = new Uint32Array(raw.buffer)
  const stored = (a: number, b: number) => {
    raw[0] = a / b
    return words[1]?.toString(16)
  }
  const seen = new Set<string>()
  for (let call = 0; call < 30_000; call += 1) seen.add(`${bits(0, 0)} ${stored(0, 0)} ${stored(-0, 0)}`)
  return Response.json([...seen])
}
