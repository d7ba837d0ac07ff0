import type { IncomingMessage } from 'node:http'
import { PeerHostError } from '@peerhost/protocol'

/**
 * Reads a request's body to the end, at most `maxBytes`: by what arrives, whatever its length header says.
 * Throws `request_too_large`, `request_invalid` when the sender stops in the middle or is too slow.
 */
export async function readBody(
  request: IncomingMessage,
  { maxBytes, timeoutMs }: { maxBytes: number; timeoutMs: number },
): Promise<Uint8Array> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes)
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const finish = (error: PeerHostError | undefined) => {
      clearTimeout(timer)
      request.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken)
      if (error) {
        // The rest is let go; the answer closes the connection.
        request.resume()
        return reject(error)
      }
      resolve(new Uint8Array(Buffer.concat(chunks, size)))
    }
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) return finish(tooLarge(maxBytes))
      chunks.push(chunk)
    }
    const onEnd = () => finish(undefined)
    const onBroken = () => finish(new PeerHostError('request_invalid', 'The request ended before its body.'))
    const timer = setTimeout(
      () => finish(new PeerHostError('request_invalid', 'The request body came too slowly.')),
      timeoutMs,
    )
    request.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken)
  })
}

function tooLarge(maxBytes: number): PeerHostError {
  return new PeerHostError('request_too_large', `The request body is over ${maxBytes} bytes.`)
}
