import { pbkdf2 } from 'node:crypto'
import { deflate } from 'node:zlib'

/** Which of several jobs on other threads is ready first. */
export async function GET() {
  const order: string[] = []
  const input = Buffer.alloc(40_000, 'peerhost')
  await Promise.all([
    ...[1, 2, 3].map(
      (index) => new Promise<void>((done) => deflate(input, () => done(void order.push(`deflate${index}`)))),
    ),
    ...[1, 2, 3].map(
      (index) =>
        new Promise<void>((done) => pbkdf2('p', 's', 300, 32, 'sha256', () => done(void order.push(`key${index}`)))),
    ),
  ])
  return new Response(order.join())
}
