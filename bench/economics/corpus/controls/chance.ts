import { randomBytes, randomUUID } from 'node:crypto'

/** Randomness of the ticket's seed. */
export function GET() {
  const values = crypto.getRandomValues(new Uint8Array(8))
  return Response.json([Math.random(), randomUUID(), randomBytes(4).toString('hex'), [...values]])
}
