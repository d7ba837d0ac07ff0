/** The order of timers that were due at nearly the same time, set while work went on. */
export async function GET() {
  const order: number[] = []
  const waiting: Promise<void>[] = []
  for (let index = 0; index < 8; index += 1) {
    waiting.push(new Promise((done) => setTimeout(() => done(void order.push(index)), 9 - index)))
    let sum = 0
    for (let i = 0; i < 200_000; i += 1) sum = (sum + i) | 0
    if (sum === 1) break
  }
  await Promise.all(waiting)
  return new Response(order.join())
}
