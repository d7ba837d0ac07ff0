import { createHash, pbkdf2Sync } from 'node:crypto'
import { brotliCompressSync, gzipSync } from 'node:zlib'

/** Compression, hashes and keys, computed in one order. */
export function GET() {
  const text = Array.from({ length: 3_000 }, (_, index) => `line ${index * index}`).join('\n')
  const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
  return Response.json([
    hash(gzipSync(text)),
    hash(brotliCompressSync(text)),
    pbkdf2Sync('p', 's', 500, 16, 'sha512').toString('hex'),
  ])
}
