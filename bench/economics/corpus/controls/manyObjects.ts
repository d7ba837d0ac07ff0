/** Garbage and live data well inside of the memory. */
export function GET() {
  const live = new Map<string, number[]>()
  for (let i = 0; i < 60_000; i += 1) live.set(`key-${i % 9_000}`, [i, i * 2, i * 3])
  let sum = 0
  for (const [key, values] of live) sum += key.length + (values[2] ?? 0)
  return new Response(String(sum))
}
