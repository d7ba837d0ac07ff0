import { generateKeyPairSync } from 'node:crypto'

/** Randomness that the ticket's seed does not cover. */
export function GET() {
  const { publicKey } = generateKeyPairSync('ed25519')
  return new Response(publicKey.export({ format: 'der', type: 'spki' }).toString('hex'))
}
