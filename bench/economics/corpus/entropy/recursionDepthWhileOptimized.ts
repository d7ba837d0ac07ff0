/** How deep the stack goes while the optimizing compiler may or may not have finished with the function. */
export function GET() {
  let depth = 0
  const dive = (a: number, b: number, levels: number): number => {
    depth += 1
    if (levels === 0) return a
    const next = (a * 31 + b) | 0
    return dive(b, next, levels - 1) + next
  }
  const seen: number[] = []
  for (let round = 0; round < 60; round += 1) {
    for (let call = 0; call < 12; call += 1) dive(call, round, 20)
    depth = 0
    try {
      dive(1, 2, -1)
    } catch {}
    seen.push(depth)
  }
  return Response.json(seen)
}
