/** Which comes first: a timer of one millisecond or the next turn of the event loop. */
export async function GET() {
  const order: string[] = []
  for (let round = 0; round < 4; round += 1) {
    await Promise.all([
      new Promise<void>((done) => setTimeout(() => done(void order.push('timer')), 1)),
      new Promise<void>((done) => setImmediate(() => done(void order.push('turn')))),
    ])
  }
  return new Response(order.join())
}
