import { PeerHostError } from '@peerhost/protocol'

/** The whole body of a response, read up to `maximumBytes`. Throws `request_too_large` past it, and stops reading. */
export async function readBody(response: Response, maximumBytes: number): Promise<Uint8Array> {
  if (!response.body) return new Uint8Array()
  const reader = response.body.getReader()
  const parts: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.length
    if (length > maximumBytes) {
      await reader.cancel()
      throw new PeerHostError('request_too_large', `The answer is larger than ${maximumBytes} bytes.`)
    }
    parts.push(value)
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}
