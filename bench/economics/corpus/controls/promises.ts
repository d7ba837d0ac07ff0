/** Microtasks, ticks and streams: an order that the event loop fixes. */
export async function GET() {
  const order: string[] = []
  process.nextTick(() => order.push('tick'))
  queueMicrotask(() => order.push('microtask'))
  await Promise.all([1, 2, 3].map(async (n) => order.push(`p${await n}`)))
  const stream = new Blob(['a', 'b', 'c']).stream()
  for await (const chunk of stream) order.push(new TextDecoder().decode(chunk))
  for (const delay of [30, 10, 20]) {
    await new Promise((done) => setTimeout(done, delay))
    order.push(`t${delay}`)
  }
  return Response.json(order)
}
