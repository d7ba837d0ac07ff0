/** Three timers, set at once, ten milliseconds apart: a machine that stands still between two lines changes their order. */
export async function GET() {
  const order: number[] = []
  await Promise.all(
    [30, 10, 20].map((delay) => new Promise<void>((done) => setTimeout(() => done(void order.push(delay)), delay))),
  )
  return new Response(order.join())
}
